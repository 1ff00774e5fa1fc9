"""moto's server as a place to deploy to.

- Lambdas run: Node.js starts the code that was deployed, with the environment of its function. Custom resources wait for their answer.
- What moto's CloudFormation does not know, or refuses, is stood in for by a name, so that the rest of the template is deployed as it stands.
  Each is written as a line of JSON to the file named by MOTO_STANDS_IN_FOR.
- Bridged where it differs from AWS: what a change set makes is exported, outputs of other stacks are read, keys take tags, versions of Lambdas, file systems and addresses have their attributes.
- One Date in each answer; the CLI of the CDK reads two as no time at all.

Writes its port to standard output.
"""
import io
import json
import logging
import os
import subprocess
import tempfile
import threading
import uuid
import warnings
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

from moto.awslambda import lambda_backends
from moto.awslambda.models import LambdaFunction, LambdaVersion
from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend
from moto.ec2 import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.efs.models import FileSystem
from moto.kms.models import Key
from moto.secretsmanager.models import secretsmanager_backends
from serve_moto import serve
from werkzeug.serving import WSGIRequestHandler

logging.getLogger("moto").setLevel(logging.ERROR)
warnings.simplefilter("ignore")
WSGIRequestHandler.send_response = WSGIRequestHandler.send_response_only

NODE = os.environ.get("NODE", "node")
RUN = """
const [answers, module, name, event] = process.argv.slice(1);
// With AWS the address of CloudFormation has https, and the CDK's own Lambdas know no other.
require("https").request = (options, take) => require("http").request({ ...options, port: answers }, take);
require(`./${module}`)[name](JSON.parse(event)).then(
  (answer) => process.stdout.write(JSON.stringify(answer ?? null)),
  (error) => process.stdout.write(JSON.stringify({ errorType: error.name, errorMessage: error.message })),
);
"""


def invoke(self, body, request_headers, response_headers):
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(io.BytesIO(self.code_bytes)).extractall(folder)
        module, name = self.handler.rsplit(".", 1)
        ran = subprocess.run(
            [NODE, "-e", RUN, str(answers.server_port), module, name, body or "{}"],
            cwd=folder,
            env={**os.environ, **ACCOUNT, "AWS_REGION": self.region, **self.environment_vars},
            capture_output=True,
            text=True,
            timeout=120,
        )
    if ran.returncode != 0 or "errorType" in ran.stdout:
        response_headers["x-amz-function-error"] = "Unhandled"
    return ran.stdout + (ran.stderr if ran.returncode != 0 else "")


class Answers(BaseHTTPRequestHandler):
    """Where Lambdas of custom resources send their answers."""

    came = {}

    def do_PUT(self):
        answer = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.came[answer["RequestId"]] = answer
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


class Made:
    """A resource as CloudFormation sees it."""

    def __init__(self, logical_id, resource_type, attributes):
        self.physical_resource_id = self.logical_resource_id = logical_id
        self.type = self.cf_resource_type = resource_type
        self.get_cfn_attribute = attributes

    def is_created(self):
        return True


def custom_resource(logical_id, resource_json, resources_map, account_id, region_name):
    """Made by its Lambda (CloudFormation user guide, "Custom resource request and response reference")."""
    properties = parsing.clean_json(resource_json["Properties"], resources_map)
    request = {
        "RequestType": "Create",
        "RequestId": str(uuid.uuid4()),
        "ResponseURL": f"http://127.0.0.1:{answers.server_port}/",
        "ServiceToken": properties["ServiceToken"],
        "StackId": resources_map.stack_id,
        "LogicalResourceId": logical_id,
        "ResourceType": resource_json["Type"],
        "ResourceProperties": properties,
    }
    said = lambda_backends[account_id][region_name].get_function(properties["ServiceToken"]).invoke(json.dumps(request), {}, {})
    answer = Answers.came.get(request["RequestId"], {"Status": "FAILED", "Reason": said})
    if answer["Status"] != "SUCCESS":
        raise RuntimeError(answer["Reason"])
    return Made(logical_id, resource_json["Type"], (answer.get("Data") or {}).get)


def stand_in(logical_id, resource_json, account_id, region_name):
    """A resource that is not there. An image is any that moto has, so that instances start."""
    resource_type = resource_json["Type"]
    arn = f"arn:aws:{resource_type.split('::')[1].lower()}:{region_name}:{account_id}:{logical_id}"

    def attribute(name):
        if name == "ImageId":
            return ec2_backends[account_id][region_name].describe_images()[0].id
        return arn if "Arn" in name else f"{logical_id}.{name}"

    made = Made(logical_id, resource_type, attribute)
    if resource_type in IDENTIFIED_BY_ARN:
        made.physical_resource_id = arn
    return made


IDENTIFIED_BY_ARN = ("AWS::CertificateManager::Certificate",)
def secret(logical_id, resource_json, resources_map, account_id, region_name):
    """Secrets, which moto has, though its CloudFormation does not make them."""
    name = f"{resources_map['AWS::StackName']}-{logical_id}"
    made = secretsmanager_backends[account_id][region_name].create_secret(
        name=name,
        secret_string=str(uuid.uuid4()),
        secret_binary=None,
        description=None,
        tags=None,
        kms_key_id=None,
        client_request_token=None,
        replica_regions=[],
        force_overwrite=False,
    )
    resource = Made(logical_id, resource_json["Type"], {}.get)
    resource.physical_resource_id = json.loads(made)["ARN"]
    return resource


create = parsing.parse_and_create_resource


MADE_HERE = {"AWS::SecretsManager::Secret": secret}


def create_or_stand_in(logical_id, resource_json, resources_map, account_id, region_name):
    refusal = None
    make = custom_resource if resource_json["Type"].startswith(("Custom::", "AWS::CloudFormation::CustomResource")) else MADE_HERE.get(resource_json["Type"], create)
    try:
        resource = make(logical_id, resource_json, resources_map, account_id, region_name)
        if resource is not None or "Condition" in resource_json:
            return resource
    except Exception as error:
        refusal = f"{type(error).__name__}: {error}"
    with open(os.environ["MOTO_STANDS_IN_FOR"], "a") as file:
        file.write(json.dumps({"type": resource_json["Type"], "id": logical_id, "refusal": refusal}) + "\n")
    return stand_in(logical_id, resource_json, account_id, region_name)


execute = CloudFormationBackend.execute_change_set


def execute_and_export(self, change_set_name, stack_name=None):
    change_set = next(one for key, one in self.change_sets.items() if change_set_name in (key, one.change_set_name))
    stack = change_set.stack
    stack.resource_map.cross_stack_resources = self.exports
    execute(self, change_set_name, stack_name)
    stack.output_map = parsing.OutputMap(stack.resource_map, change_set.template_dict, stack.stack_id)
    self.exports.update({export.name: export for export in stack.exports})
    outputs[stack.name] = {output.key: output.value for output in stack.output_map.values() if output}


clean = parsing.clean_json
# What each stack has told, as Fn::GetStackOutput reads it.
outputs = {}


def clean_with_outputs(resource_json, resources_map):
    reference = resource_json.get("Fn::GetStackOutput") if isinstance(resource_json, dict) else None
    if reference is None:
        return clean(resource_json, resources_map)
    return outputs[reference["StackName"]][reference["OutputName"]]


make_key = Key.create_from_cloudformation_json.__func__


def make_tagged_key(cls, resource_name, cloudformation_json, *place, **kwargs):
    properties = cloudformation_json["Properties"]
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
    return make_key(cls, resource_name, {"Properties": {**properties, "Tags": tags}}, *place, **kwargs)


def make_version(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    published = lambda_backends[account_id][region_name].publish_version(cloudformation_json["Properties"]["FunctionName"])
    version = cls({"Version": published.version})
    version.physical_resource_id = published.function_arn
    return version


LambdaFunction.invoke = invoke
LambdaVersion.create_from_cloudformation_json = classmethod(make_version)
Key.create_from_cloudformation_json = classmethod(make_tagged_key)
FileSystem.get_cfn_attribute = lambda self, name: {"Arn": self.file_system_arn, "FileSystemId": self.file_system_id}[name]
ElasticAddress.get_cfn_attribute = lambda self, name: {"AllocationId": self.allocation_id, "PublicIp": self.public_ip}[name]
CloudFormationBackend.execute_change_set = execute_and_export
parsing.parse_and_create_resource = create_or_stand_in
parsing.clean_json = clean_with_outputs

answers = HTTPServer(("127.0.0.1", 0), Answers)
threading.Thread(target=answers.serve_forever, daemon=True).start()
ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "NODE_NO_WARNINGS": "1",
    # Lambda has the AWS SDK for what does not bring its own.
    "NODE_PATH": os.path.join(os.path.dirname(__file__), "../../../node_modules"),
}
serve(lambda port: ACCOUNT.update(AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}"))

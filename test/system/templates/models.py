"""
Templates, asked of the services' own models of their requests (botocore): lengths, patterns, choices and bounds that CloudFormation hands on unseen and the
service refuses when the deployment is half done. Prints a line for each property that a service would refuse; the exit code is then 3.
usage: models.py TEMPLATE…
"""
import gzip
import json
import re
import sys
from pathlib import Path

import botocore

DATA = Path(botocore.__file__).parent / "data"
# The request that makes a resource; its members are named as the properties are, but for capitals.
REQUESTS = {
    "AWS::ACMPCA::CertificateAuthority": ("acm-pca", "CreateCertificateAuthority"),
    "AWS::Athena::NamedQuery": ("athena", "CreateNamedQuery"),
    "AWS::Athena::PreparedStatement": ("athena", "CreatePreparedStatement"),
    "AWS::Athena::WorkGroup": ("athena", "CreateWorkGroup"),
    "AWS::AutoScaling::AutoScalingGroup": ("autoscaling", "CreateAutoScalingGroup"),
    "AWS::AutoScaling::ScalingPolicy": ("autoscaling", "PutScalingPolicy"),
    "AWS::CertificateManager::Certificate": ("acm", "RequestCertificate"),
    "AWS::CloudTrail::Trail": ("cloudtrail", "CreateTrail"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "PutMetricAlarm"),
    "AWS::CloudWatch::CompositeAlarm": ("cloudwatch", "PutCompositeAlarm"),
    "AWS::CodeBuild::Project": ("codebuild", "CreateProject"),
    "AWS::DynamoDB::Table": ("dynamodb", "CreateTable"),
    "AWS::EFS::FileSystem": ("efs", "CreateFileSystem"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("elbv2", "CreateLoadBalancer"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("elbv2", "CreateTargetGroup"),
    "AWS::Events::Rule": ("events", "PutRule"),
    "AWS::Glue::Database": ("glue", "CreateDatabase"),
    "AWS::Glue::Table": ("glue", "CreateTable"),
    "AWS::GuardDuty::MalwareProtectionPlan": ("guardduty", "CreateMalwareProtectionPlan"),
    "AWS::IAM::Policy": ("iam", "PutRolePolicy"),
    "AWS::IAM::Role": ("iam", "CreateRole"),
    "AWS::ImageBuilder::Component": ("imagebuilder", "CreateComponent"),
    "AWS::ImageBuilder::DistributionConfiguration": ("imagebuilder", "CreateDistributionConfiguration"),
    "AWS::ImageBuilder::Image": ("imagebuilder", "CreateImage"),
    "AWS::ImageBuilder::ImagePipeline": ("imagebuilder", "CreateImagePipeline"),
    "AWS::ImageBuilder::ImageRecipe": ("imagebuilder", "CreateImageRecipe"),
    "AWS::ImageBuilder::InfrastructureConfiguration": ("imagebuilder", "CreateInfrastructureConfiguration"),
    "AWS::ImageBuilder::LifecyclePolicy": ("imagebuilder", "CreateLifecyclePolicy"),
    "AWS::KMS::Key": ("kms", "CreateKey"),
    "AWS::KinesisFirehose::DeliveryStream": ("firehose", "CreateDeliveryStream"),
    "AWS::Lambda::Function": ("lambda", "CreateFunction"),
    "AWS::Logs::LogGroup": ("logs", "CreateLogGroup"),
    "AWS::Logs::MetricFilter": ("logs", "PutMetricFilter"),
    "AWS::Logs::SubscriptionFilter": ("logs", "PutSubscriptionFilter"),
    "AWS::NetworkFirewall::Firewall": ("network-firewall", "CreateFirewall"),
    "AWS::NetworkFirewall::FirewallPolicy": ("network-firewall", "CreateFirewallPolicy"),
    "AWS::NetworkFirewall::RuleGroup": ("network-firewall", "CreateRuleGroup"),
    "AWS::SNS::Topic": ("sns", "CreateTopic"),
    "AWS::SQS::Queue": ("sqs", "CreateQueue"),
    "AWS::SSM::Document": ("ssm", "CreateDocument"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "CreateSecret"),
}
# EC2 API reference, "AuthorizeSecurityGroupIngress" and "CreateSecurityGroup"; its model has no pattern.
OF_RULES = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
# Lambda quotas: all environment variables of a function together. Bytes.
ENVIRONMENT = 4_096
CLASSES = {r"\p{L}": "a-zA-Z\u00aa-\u02ff", r"\p{Z}": " ", r"\p{N}": "0-9", r"\p{ASCII}": r"\x00-\x7f", r"\p{Print}": r"\x20-\x7e"}

models: dict[str, dict] = {}
found: list[str] = []


def model(service: str) -> dict:
    if service not in models:
        newest = sorted((DATA / service).iterdir())[-1]
        models[service] = json.loads(gzip.decompress((newest / "service-2.json.gz").read_bytes()))
    return models[service]


def text_of(value):
    """The text as far as it is known, and whether all of it is; a reference is some forty characters."""
    if isinstance(value, bool):
        return str(value).lower(), True
    if isinstance(value, (str, int, float)):
        return str(value), True
    if isinstance(value, dict) and len(value) == 1:
        (name, argument), = value.items()
        if name == "Fn::Join":
            parts = [text_of(part) for part in argument[1]]
            return argument[0].join(part or "" for part, _ in parts), all(known for _, known in parts)
        if name == "Ref" or name.startswith("Fn::"):
            return "R" * 40, False
    return None, False


def is_reference(value) -> bool:
    return isinstance(value, dict) and len(value) == 1 and all(key == "Ref" or key.startswith("Fn::") for key in value)


def pattern_of(text: str):
    for name, characters in CLASSES.items():
        text = text.replace(name, characters)
    text = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda one: re.escape(chr(int(one.group(1), 16))), text)
    try:
        return re.compile(text)
    except re.error:
        return None  # surrogates, which Python writes otherwise


def check(of: dict, shape_name: str, value, path: str) -> None:
    shape = of["shapes"][shape_name]
    kind = shape["type"]
    if is_reference(value) and kind in ("structure", "list", "map"):
        return
    if kind == "structure" and isinstance(value, dict):
        members = {name.lower(): name for name in shape.get("members", {})}
        for key, one in value.items():
            if key.lower() in members:
                check(of, shape["members"][members[key.lower()]]["shape"], one, f"{path}.{key}")
    elif kind == "list" and isinstance(value, list):
        if len(value) > shape.get("max", len(value)):
            found.append(f"{path}: {len(value)} members, {shape['max']} at most")
        for one in value:
            check(of, shape["member"]["shape"], one, f"{path}[]")
    elif kind == "map" and isinstance(value, dict):
        if len(value) > shape.get("max", len(value)):
            found.append(f"{path}: {len(value)} keys, {shape['max']} at most")
        for key, one in value.items():
            check(of, shape["key"]["shape"], key, f"{path}: {key}")
            check(of, shape["value"]["shape"], one, f"{path}.{key}")
    elif kind == "string":
        check_text(shape, value, path)
    elif kind in ("integer", "long"):
        said, known = text_of(value)
        if known and re.fullmatch(r"-?\d+", said or "") and not shape.get("min", -2**63) <= int(said) <= shape.get("max", 2**63):
            found.append(f"{path}: {said} is outside of {shape.get('min')} to {shape.get('max')}")


def check_text(shape: dict, value, path: str) -> None:
    said, known = text_of(value)
    if said is None:
        said, known = json.dumps(value, separators=(",", ":")), False  # a document, which the service has as text
    if not shape.get("min", 0) <= len(said) <= shape.get("max", len(said)):
        found.append(f"{path}: {len(said)} characters, {shape.get('min', 0)} to {shape.get('max', 'any')} are taken: {said[:60]}")
    if known and "enum" in shape and said not in shape["enum"]:
        found.append(f"{path}: {said[:60]} is none of {', '.join(shape['enum'][:12])}")
    pattern = pattern_of(shape["pattern"]) if known and "pattern" in shape else None
    if pattern and not pattern.fullmatch(said):
        found.append(f"{path}: {said[:60]!r} does not match {shape['pattern'][:80]}")


def check_rules(path: str, properties: dict) -> None:
    seen: set[str] = set()
    for direction in ("SecurityGroupIngress", "SecurityGroupEgress"):
        for rule in properties.get(direction) or []:
            same = json.dumps([direction, {key: one for key, one in rule.items() if key != "Description"}], sort_keys=True)
            if same in seen:
                found.append(f"{path}.{direction}: a rule is there twice: {same}")
            seen.add(same)
    rules = [rule.get("Description") for direction in ("SecurityGroupIngress", "SecurityGroupEgress") for rule in properties.get(direction) or []]
    for one in [properties.get("GroupDescription"), *rules]:
        said, known = text_of(one)
        if known and not OF_RULES.fullmatch(said):
            found.append(f"{path}: {said!r} has characters that EC2 does not take")


for file in sys.argv[1:]:
    for name, resource in json.loads(Path(file).read_text()).get("Resources", {}).items():
        properties = resource.get("Properties", {})
        path = f"{Path(file).name} {name}"
        if resource["Type"] in REQUESTS:
            service, request = REQUESTS[resource["Type"]]
            check(model(service), model(service)["operations"][request]["input"]["shape"], {key: one for key, one in properties.items() if key != "Code"}, path)
        if resource["Type"] == "AWS::EC2::SecurityGroup":
            check_rules(path, properties)
        variables = properties.get("Environment", {}).get("Variables", {}) if resource["Type"] == "AWS::Lambda::Function" else {}
        size = sum(len(key) + len(text_of(one)[0] or "") for key, one in variables.items())
        if size > ENVIRONMENT:
            found.append(f"{path}: {size} bytes of environment variables, {ENVIRONMENT} at most")

print("\n".join(found), end="\n" if found else "")
sys.exit(3 if found else 0)

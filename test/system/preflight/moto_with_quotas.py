"""moto, which knows the quotas of VPC alone and no settings of a Lambda account. Both are added: the defaults of AWS ("AWS service endpoints and quotas"),
changed by the JSON file that MOTO_QUOTAS names, read anew at each call: {"lambda L-B99A9384": 10}."""

import json
import os

from moto.awslambda import urls
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend
from serve_moto import serve

DEFAULTS = {
    "lambda L-B99A9384": 1000,
    "ec2 L-0263D0A3": 5,
    "ec2 L-1216C47A": 32,
    "vpc L-F678F1CE": 5,
    "vpc L-0EA8095F": 60,
    "elasticloadbalancing L-57A373D6": 50,
}


def values() -> dict:
    with open(os.environ["MOTO_QUOTAS"]) as file:
        return {**DEFAULTS, **json.load(file)}


def get_service_quota(self: ServiceQuotasBackend, service_code: str, quota_code: str) -> dict:
    value = values().get(f"{service_code} {quota_code}")
    if value is None:
        raise NoSuchResource
    return {"ServiceCode": service_code, "QuotaCode": quota_code, "Value": value}


def account_settings(request, full_url, headers):
    limit = values()["lambda L-B99A9384"]
    return 200, {}, json.dumps({"AccountLimit": {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": limit}})


ServiceQuotasBackend.get_service_quota = get_service_quota
urls.url_paths[r"{0}/(?P<api_version>[^/]+)/account-settings/?$"] = account_settings

if __name__ == "__main__":
    serve()

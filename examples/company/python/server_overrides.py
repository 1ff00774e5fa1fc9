from aws_cdk import App, Environment, Stack
from aws_cdk.aws_route53 import HostedZone
from cdk_ftps import FtpsServerSettings, FtpsService

app = App()
stack = Stack(app, "Partners", env=Environment(region="eu-central-1", account="111122223333"))
hosted_zone = HostedZone.from_hosted_zone_attributes(stack, "Zone", hosted_zone_id="Z0123456789EXAMPLE", zone_name="example.com")

FtpsService(
    stack,
    "Ftps",
    domain_name="ftps.example.com",
    hosted_zone=hosted_zone,
    client_cidrs=["203.0.113.0/24"],
    server=FtpsServerSettings(
        overrides={
            "active": {"enabled": True, "sourcePorts": "20-20"},
            "limits": {"bandwidth": {"uploadBytesPerSecond": 50_000_000}, "lockout": {"failuresPerAccount": 5, "longestSeconds": 86_400}},
            "listeners": [{"mode": "implicit", "maxTlsVersion": "TLSv1.2"}],
        }
    ),
)
app.synth()

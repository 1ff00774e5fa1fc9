from aws_cdk import App, Environment, Stack
from aws_cdk.aws_route53 import HostedZone
from cdk_ftps import FtpsService, ImageComponent, ImageSettings

app = App()
stack = Stack(app, "Partners", env=Environment(region="eu-central-1", account="111122223333"))
hosted_zone = HostedZone.from_hosted_zone_attributes(stack, "Zone", hosted_zone_id="Z0123456789EXAMPLE", zone_name="example.com")

FtpsService(
    stack,
    "Ftps",
    domain_name="ftps.example.com",
    hosted_zone=hosted_zone,
    client_cidrs=["203.0.113.0/24"],
    image=ImageSettings(
        components=[
            ImageComponent.managed_by_aws("amazon-cloudwatch-agent-linux"),
            ImageComponent.from_arn("arn:aws:imagebuilder:eu-central-1:444455556666:component/edr/1.x.x", {"Tenant": "bank"}),
            ImageComponent.commands("Inventory", install=["dnf -y install osquery"], validate=["osqueryi --version"]),
        ]
    ),
)
app.synth()

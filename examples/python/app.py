"""The whole service in one stack, and one part alone in another."""

from aws_cdk import App, Environment, Stack
from aws_cdk.aws_ec2 import Vpc
from aws_cdk.aws_route53 import HostedZone
from cdk_ftps import FtpsSecurityGroup, FtpsService, PassivePorts

app = App()
env = Environment(region="eu-central-1", account="111122223333")

partners = Stack(app, "Partners", env=env)
hosted_zone = HostedZone.from_hosted_zone_attributes(partners, "Zone", hosted_zone_id="Z0123456789EXAMPLE", zone_name="example.com")
FtpsService(partners, "Ftps", domain_name="ftps.example.com", hosted_zone=hosted_zone, client_cidrs=["203.0.113.0/24"])

door = Stack(app, "Door", env=env)
FtpsSecurityGroup(
    door,
    "Door",
    vpc=Vpc(door, "Vpc", nat_gateways=0),
    control_ports=[21, 990],
    passive_ports=PassivePorts.AWS_TRANSFER_FAMILY,
    client_cidrs=["203.0.113.0/24"],
)

app.synth()

from aws_cdk import App, Environment, Stack
from aws_cdk.aws_route53 import HostedZone
from aws_cdk.aws_sns import Topic
from cdk_ftps import AlarmThresholds, FtpsService

app = App()
stack = Stack(app, "Partners", env=Environment(region="eu-central-1", account="111122223333"))
hosted_zone = HostedZone.from_hosted_zone_attributes(stack, "Zone", hosted_zone_id="Z0123456789EXAMPLE", zone_name="example.com")

FtpsService(
    stack,
    "Ftps",
    domain_name="ftps.example.com",
    hosted_zone=hosted_zone,
    client_cidrs=["203.0.113.0/24"],
    alarm_topic=Topic.from_topic_arn(stack, "OnCall", "arn:aws:sns:eu-central-1:111122223333:on-call"),
    alarm_thresholds=AlarmThresholds(failed_logins=100, handshake_failures=500),
)
app.synth()

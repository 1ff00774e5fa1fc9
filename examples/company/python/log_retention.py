from aws_cdk import App, Duration, Environment, Stack
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_route53 import HostedZone
from cdk_ftps import AuditLog, FtpsService

app = App()
stack = Stack(app, "Partners", env=Environment(region="eu-central-1", account="111122223333"))
hosted_zone = HostedZone.from_hosted_zone_attributes(stack, "Zone", hosted_zone_id="Z0123456789EXAMPLE", zone_name="example.com")

FtpsService(
    stack,
    "Ftps",
    domain_name="ftps.example.com",
    hosted_zone=hosted_zone,
    client_cidrs=["203.0.113.0/24"],
    audit_log=AuditLog(stack, "Logs", retention=RetentionDays.TWO_YEARS, archive_retention=Duration.days(7 * 365)),
)
app.synth()

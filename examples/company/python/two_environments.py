from aws_cdk import App, Environment
from aws_cdk.aws_ec2 import SubnetSelection, SubnetType, Vpc
from aws_cdk.aws_sns import Topic
from cdk_ftps import FtpsEnvironment, FtpsEnvironmentOptions, FtpsStage, FtpsStageParts, PrivateAddresses, StorageKind


class Company(FtpsStageParts):
    """What the company has already; everything else is made anew, the data in a stack of their own."""

    def __init__(self, vpc_id, subnet_ids):
        super().__init__()
        self.vpc_id, self.subnet_ids = vpc_id, subnet_ids

    def vpc(self, data_stack):
        zones = ["eu-central-1a", "eu-central-1b"]
        return Vpc.from_vpc_attributes(data_stack, "Vpc", vpc_id=self.vpc_id, availability_zones=zones, private_subnet_ids=self.subnet_ids)

    def endpoint(self, data_stack, service_stack, vpc):
        return PrivateAddresses(data_stack, "Inside")

    def alarm_topic(self, data_stack):
        return Topic.from_topic_arn(data_stack, "OnCall", "arn:aws:sns:eu-central-1:111122223333:on-call")


shared = FtpsEnvironmentOptions(
    env=Environment(region="eu-central-1", account="111122223333"),
    vpc_subnets=SubnetSelection(subnet_type=SubnetType.PRIVATE_WITH_EGRESS),
    storage=StorageKind.S3,
)
own = dict(hosted_zone_id="Z0123456789EXAMPLE", zone_name="example.com", client_cidrs=["10.0.0.0/8"])
staging = FtpsEnvironment.staging(shared, **own, name="staging", domain_name="ftps-staging.example.com")
prod = FtpsEnvironment.production(shared, **own, name="prod", domain_name="ftps.example.com", stack_name="corp-eu1-ftps")

app = App()
FtpsStage(app, "staging", settings=staging, parts=Company("vpc-0123456789abcdef0", ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]))
FtpsStage(app, "prod", settings=prod, parts=Company("vpc-0123456789abcdef1", ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"]))
app.synth()

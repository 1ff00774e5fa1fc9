package com.example;

import com.github.cdkftps.FtpsSecurityGroup;
import com.github.cdkftps.FtpsService;
import com.github.cdkftps.PassivePorts;
import java.util.List;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Environment;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.StackProps;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.route53.HostedZone;
import software.amazon.awscdk.services.route53.HostedZoneAttributes;

/** The whole service in one stack, and one part alone in another. */
public final class PartnersApp {
    public static void main(String[] arguments) {
        var app = new App();
        var props = StackProps.builder().env(Environment.builder().region("eu-central-1").account("111122223333").build()).build();

        var partners = new Stack(app, "Partners", props);
        var zone = HostedZoneAttributes.builder().hostedZoneId("Z0123456789EXAMPLE").zoneName("example.com").build();
        FtpsService.Builder.create(partners, "Ftps")
                .domainName("ftps.example.com")
                .hostedZone(HostedZone.fromHostedZoneAttributes(partners, "Zone", zone))
                .clientCidrs(List.of("203.0.113.0/24"))
                .build();

        var door = new Stack(app, "Door", props);
        FtpsSecurityGroup.Builder.create(door, "Door")
                .vpc(Vpc.Builder.create(door, "Vpc").natGateways(0).build())
                .controlPorts(List.of(21, 990))
                .passivePorts(PassivePorts.AWS_TRANSFER_FAMILY)
                .clientCidrs(List.of("203.0.113.0/24"))
                .build();

        app.synth();
    }
}

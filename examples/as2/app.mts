import { App, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { type As2Partner, As2Receipt, FtpsAccount, FtpsService, SecretAccounts } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const accounts = new SecretAccounts(stack, 'Accounts');

const acme: As2Partner = {
  as2Id: 'ACME',
  url: 'https://as2.acme.example:4443/as2',
  // As a rule a file of the repository: certificates: ['partners/acme.pem'].
  certificates: [
    `-----BEGIN CERTIFICATE-----
MIIDATCCAemgAwIBAgIUSdkfXCQXdpbLitDN6KPSvWSCOMkwDQYJKoZIhvcNAQEL
BQAwDzENMAsGA1UEAwwEQUNNRTAgFw0yNjExMjkxNzE1NTdaGA8yMTI2MTEwNTE3
MTU1N1owDzENMAsGA1UEAwwEQUNNRTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC
AQoCggEBAMnbTvvVTBtO/AZfvtP6z3U/gUMthb94QFEty5KBcqn9QbK21lnvE5jg
QJFsxrBWNIVsfaUaucWvscKp+hr3HeeiQn53p3jXre4sNiukL7WyfvTD89qMnPzD
+BT0ggN+Tm1X/QgcBS7RiYr5tfgb2AFOGvuNfH+EEdf0y47qNoYM3T7oHyaJhWIg
/ZAde/a9LWfEkn4egnQztUIynO8rFLhplWQoJd3MTM2yv2hvOFo6OFHgZOSngmmC
nNBbXuWQveXN6Li9uqiMMIafQRDw4iDRRjX3XUjo7TVrqOohXeNC0tMt4FbuDeOO
AbU4cUS2JMg19HBHQD7JaQUaDHS8EssCAwEAAaNTMFEwHQYDVR0OBBYEFHsvMljd
raivdD6FRT5GYKxBunl/MB8GA1UdIwQYMBaAFHsvMljdraivdD6FRT5GYKxBunl/
MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBAF/KY+ae+2b7KbJc
v/1YK+2nOI+WiZIlckXqChuzB8QRxW/40F4NG2FFvhKH9D4qDHDDMxa+rcK2HU/5
mh388ajywi/q08XENVLgCpfb1iNyiCOsWG4nRTnab5oHUr4AaAIK0uesva9/MU29
SMbg/avVDO9peyBidO1nmEDtqJ17pjdHan/5+H0yaKWDwjJNJq+GZZV0zvY7PwsH
0QU1GsbMvy8KeehjnH/9GxHhU5IGRKD3zqmPBreo5p9M48RvIZoR1zAfsM0F2zJ4
88JsPpPfpiUrT3r54S96fU1elLQFjQWSQRdwCKeBPl63YP4wQqtQFss/qFkH6W8G
PhaiG78=
-----END CERTIFICATE-----
`,
  ],
};

new FtpsService(stack, 'Ftps', {
  domainName: 'files.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  accounts,
  server: { as2: { as2Id: 'EXAMPLE-COM', agreements: [{ partner: acme, account: 'acme', contentType: 'application/edifact', receipt: As2Receipt.ASYNC }] } },
});

new FtpsAccount(stack, 'acme', { accounts, logsIn: false });

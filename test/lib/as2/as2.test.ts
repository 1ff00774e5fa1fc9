/** AS2 beside FTPS, by `server.as2`: what is opened for it, what the instances are told, and that nothing is anywhere without it. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App, Duration, Size, type Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { controls } from '../../../bin/evidence/controls';
import type { Subject } from '../../../bin/evidence/subject';
import { summarize } from '../../../bin/summary';
import {
  type As2Agreement,
  As2Cipher,
  As2Compression,
  As2Digest,
  As2Keys,
  As2KeyTransport,
  As2Receipt,
  type As2Settings,
  FtpsEnvironment,
  type FtpsEnvironmentOptions,
  FtpsLoadBalancer,
  type FtpsServerSettings,
  FtpsService,
  type FtpsServiceProps,
  FtpsStage,
  FtpsStageParts,
  ServiceNetwork,
  TlsPolicy,
} from '../../../lib';
import { makePair } from '../../../lib/as2/keys/make-pair';
import { acknowledgeHouseRules } from '../../../lib/compliance/house-rules';
import { type ServerParts, serverConfig } from '../../../lib/server-config';
import { checkServerConfig } from '../../../server/config';
import { flat, inboundRules, nagFindings, type Resources, shippedSettings, testStack } from '../support';

const of = (one: Template, type: string) => Object.entries(one.findResources(type) as Resources);
const outputs = (one: Template) => one.toJSON()['Outputs'] as Resources;
const named = (all: Resources, part: string) => Object.entries(all).find(([id]) => id.includes(part))?.[1];

function service(props: Partial<FtpsServiceProps>, make: (stack: Stack) => Partial<FtpsServiceProps> = () => ({})): [Template, App] {
  const { app, stack, hostedZone } = testStack();
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], ...props, ...make(stack) });
  return [Template.fromStack(stack), app];
}

function environment(options: FtpsEnvironmentOptions, parts?: FtpsStageParts): [data: Template, service: Template, stage: FtpsStage] {
  const own = { name: 'test', domainName: 'ftps.example.com', hostedZoneId: 'Z0', zoneName: 'example.com', clientCidrs: ['203.0.113.0/24'] };
  const stage = new FtpsStage(new App(), 'Test', { settings: FtpsEnvironment.of(options, own), parts });
  return [Template.fromStack(stage.dataStack), Template.fromStack(stage.serviceStack), stage];
}

const serverParts: ServerParts = {
  certificateSecretIds: ['certificate'],
  storage: { storage: { kind: 'local', root: '/srv/ftps' }, scannedElsewhere: false },
  identity: [{ kind: 'secrets', prefix: 'partners/' }],
  advertisedAddress: 'auto',
  hostKeySecretId: 'host-keys',
  as2KeysSecretId: 'as2-keys',
  domainName: 'ftps.example.com',
};

let good: string;
let old: string;
let weak: string;
let one: As2Agreement;
let as2: As2Settings;
let template: Template;
let without: Template;
let partnersFile: Resources[];

beforeAll(async () => {
  good = (await makePair('Partner One', 365)).certificate;
  old = (await makePair('Partner One', 1, new Date(Date.now() - 30 * 86_400_000))).certificate;
  weak = readFileSync(join(__dirname, 'rsa-1024.pem'), 'utf8');
  one = {
    account: 'one',
    partner: { as2Id: 'Partner One', url: 'https://as2.one.example:4080/as2', certificates: [good], receiptHosts: ['receipts.one.example:5443'] },
  };
  as2 = { as2Id: 'EXAMPLE-COM', agreements: [one, { account: 'two', partner: { as2Id: 'Two', url: 'https://two.example/as2', certificates: [good] } }] };
  let app: App;
  [template, app] = service({ server: { as2 } });
  [without] = service({});
  const { directory } = app.synth();
  const { files } = JSON.parse(readFileSync(join(directory, 'Test.assets.json'), 'utf8')) as Resources;
  const [partners] = Object.values(files as Resources).filter(({ source: { path } }) => /as2-partners-[0-9a-f]+\.json$/.test(path));
  partnersFile = JSON.parse(readFileSync(resolve(directory, partners.source.path), 'utf8'));
});

/** What the server of an instance has once its start script has put the partners in. */
const complete = () => {
  const shipped = shippedSettings(template);
  return checkServerConfig({ ...shipped, as2: { ...shipped['as2'], partners: partnersFile } });
};

describe('its port', () => {
  it('is 443 where HTTPS is off, open to the clients, and told as our address', () => {
    expect(inboundRules(template)).toContain('443-443 203.0.113.0/24');
    expect(shippedSettings(template)['as2']).toMatchObject({
      port: 443,
      path: '/as2',
      identity: { as2Id: 'EXAMPLE-COM', url: 'https://ftps.example.com/as2' },
    });
    expect(named(outputs(template), 'As2Address')).toMatchObject({ Value: 'https://ftps.example.com/as2' });
  });

  it('is that of HTTPS where that is on', () => {
    const config = serverConfig({ https: { port: 8443 }, as2: { as2Id: 'Us' } }, serverParts);
    expect([config.as2!.port, config.as2!.identity.url]).toEqual([undefined, 'https://ftps.example.com:8443/as2']);
  });

  it('is one of its own where that is said, and one without TLS by name only', () => {
    const config = serverConfig({ https: {}, as2: { as2Id: 'Us', port: 4443, plainPort: 4080, path: '/edi' } }, serverParts);
    expect(config.as2).toMatchObject({ port: 4443, plainPort: 4080, path: '/edi', identity: { url: 'https://ftps.example.com:4443/edi' } });
  });

  it('is a listener of the load balancer, and of the network firewall; instances reach the ports of partners', () => {
    const [data] = environment({ networkFirewall: true, protect: false, server: { as2 } });
    const [[, rules]] = of(data, 'AWS::NetworkFirewall::RuleGroup') as [[string, Resources]];
    const text = flat(rules['Properties'].RuleGroup.RulesSource.RulesString);
    expect(text).toContain('$HOME_NET [21,990,50000:50015,443]');
    expect(text).toContain('pass tcp $HOME_NET any -> any 4080 (msg:"AS2 partners, webhooks, issuers"; sid:1001;)');
    expect(text).toContain('pass tcp $HOME_NET any -> any 5443 (msg:"AS2 partners, webhooks, issuers"; sid:1002;)');
    const [balanced] = service({ server: { as2: { ...as2, plainPort: 4080 } } }, (stack) => {
      const { vpc } = new ServiceNetwork(stack, 'Network');
      return { vpc, endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3, deletionProtection: false }) };
    });
    expect(of(balanced, 'AWS::ElasticLoadBalancingV2::Listener').map(([, { Properties }]) => Properties.Port)).toEqual(expect.arrayContaining([443, 4080]));
    expect(outboundPorts(balanced)).toEqual([443, 4080, 5443]);
  });

  it('nothing is reached but 443 and the ports of partners', () => {
    expect(outboundPorts(template)).toEqual([443, 4080, 5443]);
    expect(outboundPorts(without)).toEqual([443]);
  });
});

/** Ports that the whole internet is reached at by a security group that has clients or a load balancer. */
function outboundPorts(from: Template): number[] {
  const groups = of(from, 'AWS::EC2::SecurityGroup').filter(([, { Properties }]) => /^FTPS/.test(Properties.GroupDescription));
  const rules = groups.flatMap(([, { Properties }]) => (Properties.SecurityGroupEgress ?? []) as Resources[]);
  return [...new Set(rules.filter(({ CidrIp }) => CidrIp === '0.0.0.0/0').map((rule) => rule['FromPort'] as number))].sort((a, b) => a - b);
}

describe('partners', () => {
  it('lie in a file that the instances read, and in no user data', () => {
    expect(shippedSettings(template)['as2'].partners).toEqual([]);
    expect(partnersFile.map(({ as2Id, account, certificates }) => [as2Id, account, certificates])).toEqual(
      [
        ['Partner One', 'one', [good]],
        ['Two', 'two', [good]],
      ].map(([id, account, certificates]) => [id, account, (certificates as string[]).map((text) => expect.stringContaining(text.split('\n')[1]!))]),
    );
    const [launch] = of(template, 'AWS::EC2::LaunchTemplate');
    const script = flat(launch![1].Properties.LaunchTemplateData.UserData['Fn::Base64']);
    const [, object] = /aws s3 cp --only-show-errors --region \S+ 's3:\/\/([^']+)' \/etc\/ftps\/as2-partners\.json/.exec(script)!;
    const reads = of(template, 'AWS::IAM::Policy')
      .filter(([id]) => id.includes('FleetRole'))
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Resources[])
      .filter(({ Action }) => Action === 's3:GetObject');
    expect(reads.map(({ Resource }) => flat(Resource))).toContain(`arn:<AWS::Partition>:s3:::${object}`);
  });

  it('are put into the settings before the server starts, which it accepts', () => {
    expect(complete().as2!.partners).toMatchObject([
      {
        as2Id: 'Partner One',
        require: { signed: true, encrypted: true },
        send: { sign: 'sha256', encrypt: 'aes-256-cbc' },
        receipt: { kind: 'sync', signed: true },
      },
      { as2Id: 'Two' },
    ]);
  });

  it('are as many as there may be', () => {
    const agreements = Array.from({ length: 200 }, (_, index) => ({ account: `a${index}`, partner: { ...one.partner, as2Id: `Partner ${index}` } }));
    const [many] = service({ server: { as2: { as2Id: 'Us', agreements } } });
    const alarms = of(many, 'AWS::CloudWatch::Alarm').filter(([, { Properties }]) => JSON.stringify(Properties).includes('As2Failures'));
    expect(alarms.map(([, { Properties }]) => Properties.Metrics)).toEqual([
      [expect.objectContaining({ Expression: 'SELECT SUM("Test-Ftps-Logs-As2Failures") FROM SCHEMA("CdkFtps", Partner)', Period: 300 })],
    ]);
  });

  it('each prop is a setting of the server', () => {
    const agreement: Required<As2Agreement> = {
      partner: {
        as2Id: 'Them',
        url: 'http://them.example/as2',
        certificates: [good],
        encryptionCertificate: good,
        tlsCa: good,
        receiptHosts: ['receipts.example'],
        allowPlainHttp: true,
        allowExpired: true,
      },
      account: 'them',
      requireSigned: false,
      requireEncrypted: false,
      digests: [As2Digest.SHA1, As2Digest.SHA512],
      ciphers: [As2Cipher.TRIPLE_DES],
      sign: true,
      signDigest: As2Digest.SHA384,
      encrypt: true,
      encryptCipher: As2Cipher.AES_128_GCM,
      keyTransport: As2KeyTransport.RSA_OAEP,
      compression: As2Compression.AFTER_SIGNING,
      base64: true,
      contentType: 'application/edifact',
      contentTypes: { pdf: 'application/pdf' },
      subject: 'EDI',
      receipt: As2Receipt.ASYNC,
      receiptSigned: false,
      receiptWait: Duration.hours(1),
      inbox: '/in',
      outbox: '/out',
      sent: '/done',
      removeSent: false,
      failed: '/bad',
      attempts: 3,
      firstWait: Duration.seconds(30),
      longestWait: Duration.hours(1),
      restartReceived: true,
      restartSent: true,
    };
    const settings = {
      as2Id: 'Us',
      agreements: [agreement],
      maxMessageSize: Size.gibibytes(1),
      keepFor: Duration.days(30),
      keepMessagesUpTo: Size.mebibytes(4),
      restartFrom: Size.mebibytes(64),
      restartSpace: Size.gibibytes(8),
      restartWait: Duration.minutes(90),
    };
    const config = serverConfig({ as2: settings }, serverParts).as2!;
    expect(config).toMatchObject({ messageBytes: 1024 ** 3, keepDays: 30, keepMessageBytes: 4 * 1024 ** 2, identity: { signing: { secretId: 'as2-keys' } } });
    expect(config.restart).toEqual({ fromBytes: 64 * 1024 ** 2, keptBytes: 8 * 1024 ** 3, keepHours: 1.5 });
    expect(config.partners[0]).toMatchObject({
      as2Id: 'Them',
      account: 'them',
      url: 'http://them.example/as2',
      allowPlainHttp: true,
      allowExpired: true,
      receiptHosts: ['receipts.example'],
      require: { signed: false, encrypted: false },
      digests: ['sha1', 'sha512'],
      ciphers: ['des-ede3-cbc'],
      send: {
        sign: 'sha384',
        encrypt: 'aes-128-gcm',
        keyTransport: 'rsa-oaep',
        compress: 'after-signing',
        base64: true,
        contentType: 'application/edifact',
        contentTypes: { pdf: 'application/pdf' },
        subject: 'EDI',
      },
      receipt: { kind: 'async', signed: false, waitSeconds: 3_600 },
      inbox: '/in',
      outbox: '/out',
      sent: '/done',
      failed: '/bad',
      retry: { attempts: 3, firstSeconds: 30, longestSeconds: 3_600 },
      restart: { receive: true, send: true },
    });
    const plain = serverConfig({ as2: { as2Id: 'Us', agreements: [{ ...agreement, sign: false, encrypt: false, removeSent: true }] } }, serverParts).as2!;
    expect(plain.partners[0]).toMatchObject({ send: { sign: false, encrypt: false }, sent: 'remove' });
  });

  const refused = (make: () => FtpsServerSettings) => {
    try {
      serverConfig(make(), serverParts);
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing';
  };
  const withPartner =
    (partner: object, agreement: object = {}, more: object = {}) =>
    () =>
      ({ as2: { as2Id: 'Us', agreements: [{ ...one, ...agreement, partner: { ...one.partner, ...partner } }] }, ...more }) as FtpsServerSettings;

  it.each<[string, () => FtpsServerSettings, RegExp]>([
    ['a name that is none', () => ({ as2: { as2Id: ' Us' } }), /as2\.as2Id: " Us": expected a name without blanks/],
    ['a name of a partner that is none', withPartner({ as2Id: 'Zürich' }), /as2\.agreements\[0\]\.partner\.as2Id: "Zürich": expected 1 to 128 printable ASCII/],
    [
      'two of one name',
      () => ({ as2: { as2Id: 'Us', agreements: [one, one] } }),
      /as2\.agreements\[1\]\.partner\.as2Id: "Partner One" is already the name of server\.as2\.agreements\[0\]/,
    ],
    ['our own name', withPartner({ as2Id: 'Us' }), /as2\.agreements\[0\]\.partner\.as2Id: "Us" is already the name of server\.as2\.as2Id/],
    [
      'a file that is not there',
      withPartner({ certificates: ['one.pem'] }),
      /as2\.agreements\[0\]\.partner\.certificates\[0\]: "one\.pem" can't be read \(ENOENT\); name a PEM file/,
    ],
    [
      'what is no certificate',
      withPartner({ certificates: ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'] }),
      /certificates\[0\]: the text is no certificate that can be read/,
    ],
    ['several in one', () => withPartner({ certificates: [good + good] })(), /certificates\[0\]: the text has 2 certificates; give that of the partner alone/],
    ['a private key', () => withPartner({ certificates: [`${good}-----BEGIN PRIVATE KEY-----\n`] })(), /certificates\[0\]: the text has a private key in it/],
    [
      'one that is out of date',
      () => withPartner({ certificates: [old] })(),
      /as2\.agreements\[0\]\.partner\.certificates: expired, the one of CN=Partner One \(serial number [0-9A-F]+, SHA-256 [0-9a-f]{64}\) on .* GMT; give the partner's new certificate, or set partner\.allowExpired/,
    ],
    [
      'two of them',
      () => withPartner({ certificates: [old, old] })(),
      /certificates: expired, the one of .* on .* GMT, and the one of .* on .* GMT; give the partner's/,
    ],
    [
      'a type of what has no ending',
      withPartner({}, { contentTypes: { '.pdf': 'application/pdf' } }),
      /as2\.agreements\[0\]\.contentTypes: .*expected endings of names in lower case/,
    ],

    ['no certificate', withPartner({ certificates: [] }), /as2\.agreements\[0\]\.partner\.certificates: is empty, and messages have to be signed/],
    [
      'an address in the clear',
      withPartner({ url: 'http://one.example/as2' }),
      /as2\.agreements\[0\]\.partner\.url: http:\/\/one\.example\/as2 is not encrypted; write https/,
    ],
    [
      'two folders in one',
      withPartner({}, { sent: '/inbox' }),
      / {2}server\.as2\.agreements\[0\]\.sent: \/inbox is already server\.as2\.agreements\[0\]\.inbox/,
    ],
    ['a digest that is none', withPartner({}, { digests: ['md5'] }), /as2\.agreements\[0\]\.digests\[0\]: "md5" is not a choice; expected "sha1" or/],
    [
      'SHA-1 within FIPS',
      withPartner({}, { digests: [As2Digest.SHA1] }, { tlsPolicy: TlsPolicy.FIPS }),
      / {2}server\.as2\.agreements\[0\]\.digests: is or has "sha1", which server\.tlsPolicy "fips" does not take/,
    ],
    [
      '3DES within FIPS',
      withPartner({}, { ciphers: [As2Cipher.TRIPLE_DES] }, { tlsPolicy: TlsPolicy.FIPS }),
      /as2\.agreements\[0\]\.ciphers: is or has "des-ede3-cbc"/,
    ],
    [
      '3DES of ours within FIPS',
      withPartner({}, { encryptCipher: As2Cipher.TRIPLE_DES }, { tlsPolicy: TlsPolicy.FIPS }),
      /as2\.agreements\[0\]\.encryptCipher: is or has "des-ede3-cbc"/,
    ],
    [
      'PKCS #1 within FIPS',
      withPartner({}, { keyTransport: As2KeyTransport.RSA_PKCS1 }, { tlsPolicy: TlsPolicy.FIPS }),
      /as2\.agreements\[0\]\.keyTransport: is or has "rsa-pkcs1".* choose rsa-oaep/,
    ],
    [
      'a short key within FIPS',
      () => withPartner({ certificates: [weak] }, {}, { tlsPolicy: TlsPolicy.FIPS })(),
      /certificates\[0\]: the text has an RSA key of 1024 bits, and FIPS takes 2048 or more/,
    ],
    ['a passive port', () => ({ as2: { as2Id: 'Us', port: 50_003 } }), / {2}server\.as2\.port: 50003 lies in server\.passivePorts/],
    ['the port of HTTPS', () => ({ https: {}, as2: { as2Id: 'Us', port: 443 } }), / {2}server\.as2\.port: 443 is already taken by server\.https\.port/],
    ['any port', () => ({ as2: { as2Id: 'Us', plainPort: 0 } }), /as2\.plainPort: 0 is any port/],
    [
      'the port of the health check',
      () => ({ as2: { as2Id: 'Us', port: 9990 } }),
      / {2}server\.as2\.port: 9990 is where an instance is asked whether it is well/,
    ],
    ['its block without it', () => ({ overrides: { as2: { port: 443 } } }), /overrides\.as2\.port: is for AS2, which is off; server\.as2 opens its port/],
    [
      'partners beside it',
      () => ({ as2: { as2Id: 'Us' }, overrides: { as2: { partners: [] } } }),
      /overrides\.as2\.partners: follows from server\.as2\.agreements/,
    ],
    [
      'keys beside it',
      () => ({ as2: { as2Id: 'Us' }, overrides: { as2: { identity: { decryption: [] } } } }),
      /overrides\.as2\.identity\.decryption: follows from server\.as2 and as2Keys/,
    ],
  ])('%s is refused', (_, settings, message) => {
    expect(refused(settings)).toMatch(message);
  });

  it('one certificate that counts is enough, while another goes or comes', () => {
    expect(serverConfig(withPartner({ certificates: [old, good] })(), serverParts).as2!.partners[0]!.certificates).toHaveLength(2);
    expect(refused(withPartner({ certificates: [old], allowExpired: true }))).toBe('nothing');
  });

  it('whoever deploys is warned of one that ends soon while none follows it', async () => {
    const ending = (await makePair('Partner One', 10)).certificate;
    const warned = (certificates: string[]) => {
      const { stack, hostedZone } = testStack();
      const agreements = [{ ...one, partner: { ...one.partner, certificates } }];
      new FtpsService(stack, 'Ftps', {
        domainName: 'ftps.example.com',
        hostedZone,
        clientCidrs: ['203.0.113.0/24'],
        server: { as2: { as2Id: 'Us', agreements } },
      });
      return Annotations.fromStack(stack)
        .findWarning('*', Match.stringLikeRegexp('AS2 partner'))
        .map(({ entry }) => String(entry.data));
    };
    expect(warned([ending])).toEqual([expect.stringMatching(/^The certificate of the AS2 partner "Partner One" ends in 9 days, and no other one follows it/)]);
    expect(warned([ending, good])).toEqual([]);
  });

  it('within FIPS keys are encrypted by OAEP', () => {
    expect(serverConfig({ as2, tlsPolicy: TlsPolicy.FIPS }, serverParts).as2!.partners[0]!.send.keyTransport).toBe('rsa-oaep');
    expect(serverConfig({ as2 }, serverParts).as2!.partners[0]!.send.keyTransport).toBe('rsa-pkcs1');
  });

  it('what has no prop is said by overrides', () => {
    expect(serverConfig({ as2, overrides: { as2: { outboxSeconds: 5 } } }, serverParts).as2).toMatchObject({ port: 443, outboxSeconds: 5 });
  });
});

it('misspelt and wrong settings are refused', () => {
  expect(() => service({ server: { as2: { ...as2, as2ID: 'x' } as As2Settings } })).toThrow(
    /server\.as2\.as2ID: is unknown to As2Settings; did you mean as2Id/,
  );
  expect(() => service({ server: { as2: { as2Id: 'Us', agreements: [{ ...one, acount: 'x' } as As2Agreement] } } })).toThrow(
    /server\.as2\.agreements\[0\]\.acount: is unknown to As2Agreement; did you mean account/,
  );
  expect(() => environment({ server: { as2: {} as As2Settings } })).toThrow(/server\.as2\.as2Id: is missing/);
  expect(() => environment({ server: { as2: { as2Id: 'Us', agreements: [{ account: 'one' } as As2Agreement] } } })).toThrow(
    /server\.as2\.agreements\[0\]\.partner: is missing/,
  );
  expect(() => environment({ server: { as2: { as2Id: 'Us', maxMessageSize: 5 as unknown as Size } } })).toThrow(
    /server\.as2\.maxMessageSize: 5 is wrong; expected Size\.mebibytes\(64\)/,
  );
});

describe('its keys', () => {
  it('are in an empty secret that CloudFormation never writes to, and are made before the first instance needs them', () => {
    const [[secretId, secret]] = of(template, 'AWS::SecretsManager::Secret').filter(([id]) => id.includes('As2Keys')) as [[string, Resources]];
    expect(secret['Properties']).toEqual({ Description: expect.any(String), KmsKeyId: expect.anything() });
    expect([secret['DeletionPolicy'], secret['UpdateReplacePolicy']]).toEqual(['RetainExceptOnCreate', 'Retain']);
    expect(shippedSettings(template)['as2'].identity.signing).toMatchObject({ kind: 'secret', secretId: `<${secretId}>` });
    const [[resourceId]] = of(template, 'Custom::FtpsAs2Keys') as [[string, Resources]];
    const [[, group]] = of(template, 'AWS::AutoScaling::AutoScalingGroup') as [[string, Resources]];
    expect(group['DependsOn']).toContain(resourceId);
    const lambda = named(Object.fromEntries(of(template, 'AWS::Lambda::Function')), 'As2KeysLambda') as Resources;
    expect(lambda['Properties'].Environment.Variables).toMatchObject({
      MAKES: 'true',
      AS2_ID: 'EXAMPLE-COM',
      CHANGE_DAYS: '365',
      ANNOUNCE_DAYS: '30',
      KEEP_DAYS: '90',
      PARAMETERS: '/Test/Ftps/As2Keys',
    });
  });

  it('are told by their certificates, and somebody is called before they change', () => {
    expect(named(outputs(template), 'As2Certificates')).toMatchObject({ Value: '/Test/Ftps/As2Keys/current and /Test/Ftps/As2Keys/next' });
    const alarms = of(template, 'AWS::CloudWatch::Alarm').filter(([id]) => id.includes('As2Keys'));
    const soon = alarms.find(([, { Properties }]) => Properties.MetricName === 'As2KeyDaysLeft')![1].Properties;
    expect(soon).toMatchObject({ Threshold: 30, ComparisonOperator: 'LessThanThreshold' });
    expect(soon.AlarmDescription).toMatch(/tell them the one in the parameter \/Test\/Ftps\/As2Keys\/next/);
    for (const [, { Properties }] of alarms) expect(Properties.AlarmActions).toHaveLength(1);
  });

  it('can be those that partners know, which nobody here may write', () => {
    const [given] = service({ server: { as2 } }, (stack) => ({
      as2Keys: As2Keys.fromSecret(
        stack,
        'Keys',
        Secret.fromSecretAttributes(stack, 'Old', {
          secretCompleteArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:old-a1B2c3',
          encryptionKey: Key.fromKeyArn(stack, 'OldKey', 'arn:aws:kms:eu-central-1:111122223333:key/old'),
        }),
      ),
    }));
    expect(of(given, 'AWS::SecretsManager::Secret').filter(([id]) => id.includes('Keys'))).toEqual([]);
    expect(shippedSettings(given)['as2'].identity.signing.secretId).toBe('arn:aws:secretsmanager:eu-central-1:111122223333:secret:old-a1B2c3');
    expect(
      of(given, 'AWS::IAM::Policy').filter(([, policy]) => /PutSecretValue/.test(JSON.stringify(policy)) && /old-a1B2c3/.test(JSON.stringify(policy))),
    ).toEqual([]);
  });

  it('lie with the data of an environment, and parts of yours take their place', () => {
    const [data, instances, stage] = environment({ server: { as2 } });
    expect([of(data, 'Custom::FtpsAs2Keys').length, of(instances, 'Custom::FtpsAs2Keys').length]).toEqual([1, 0]);
    expect(stage.service.as2Keys?.node.path).toContain('/Data/');
    class Own extends FtpsStageParts {
      public override as2Keys(dataStack: Stack) {
        return As2Keys.fromSecret(dataStack, 'Old', Secret.fromSecretNameV2(dataStack, 'OldSecret', 'old'));
      }
    }
    expect(of(environment({ server: { as2 } }, new Own())[0], 'AWS::SecretsManager::Secret')).toEqual([]);
  });

  it('are refused without AS2, and with times that can not be', () => {
    expect(() => service({}, (stack) => ({ as2Keys: As2Keys.generated(stack, 'Keys') }))).toThrow(/as2Keys: are those of AS2, which is off/);
    const { stack } = testStack();
    expect(() => As2Keys.generated(stack, 'Short', { changeEvery: Duration.days(7) })).toThrow(
      /changeEvery: 7 days are too few for partners to follow; choose 30 or more/,
    );
    expect(() => As2Keys.generated(stack, 'Loud', { changeEvery: Duration.days(60), announce: Duration.days(60) })).toThrow(
      /announce: 60 days are as long as a key signs/,
    );
  });

  it('AWS Solutions, HIPAA, NIST and PCI DSS find nothing in them', () => {
    const findings = nagFindings((stack) => {
      acknowledgeHouseRules(stack);
      const keys = As2Keys.generated(stack, 'Keys');
      keys.addAlarmAction({ bind: () => ({ alarmActionArn: 'arn:aws:sns:eu-central-1:111122223333:topic' }) });
      keys.grantRead(new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }));
    });
    expect(findings).toEqual([]);
  });
});

describe('what happens over it', () => {
  const metrics = (from: Template) => of(from, 'AWS::Logs::MetricFilter').map(([, { Properties }]) => Properties.MetricTransformations[0].MetricName as string);
  const board = (from: Template) => flat((of(from, 'AWS::CloudWatch::Dashboard')[0]![1] as Resources)['Properties'].DashboardBody);

  it('is counted by itself, without logins, of which there are none', () => {
    const more = new Set(metrics(template).filter((name) => !metrics(without).includes(name)));
    const names = ['HandshakeFailures', 'Uploads', 'Downloads', 'TransferErrors', 'ReceiptsMissing', 'KeysRefused', 'Failures'];
    expect([...more].sort()).toEqual(names.map((name) => `Test-Ftps-Logs-As2${name}`).sort());
  });

  it('calls somebody for each partner by itself, and where no receipt comes', () => {
    const alarms = of(template, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
    const partners = alarms.filter(({ MetricName }) => MetricName === 'Test-Ftps-Logs-As2Failures');
    expect(partners.map(({ Dimensions }) => Dimensions)).toEqual([[{ Name: 'Partner', Value: 'Partner One' }], [{ Name: 'Partner', Value: 'Two' }]]);
    expect(partners[0].AlarmDescription).toMatch(/^FTPS: Messages from or to Partner One fail/);
    expect(alarms.filter(({ MetricName }) => MetricName === 'Test-Ftps-Logs-As2ReceiptsMissing')).toHaveLength(1);
  });

  it('is on the dashboard, and in saved queries', () => {
    for (const words of ['Transfers by AS2', 'Failures by AS2', 'receipts missing', 'Why AS2 messages failed', 'FTPS and AS2. Numbers']) {
      expect(board(template)).toContain(words);
      expect(board(without)).not.toContain(words);
    }
    expect(board(template)).not.toContain('Logins by AS2');
    const saved = (from: Template) => of(from, 'AWS::Athena::NamedQuery').map(([, { Properties }]) => Properties.Name as string);
    expect(
      saved(template)
        .filter((name) => !saved(without).includes(name))
        .sort(),
    ).toEqual(['as2-failures-by-partner', 'as2-message', 'sessions-by-protocol']);
  });
});

it('the evidence shows its port, that it has none without TLS, and its keys', () => {
  const resources = new Map(Object.entries(template.toJSON()['Resources'] as Resources).map(([id, one]) => [`test/${id}`, one]));
  const shown = (text: string, settings: object = {}) => {
    const shipped = shippedSettings(template);
    const subject = { resources, server: checkServerConfig({ ...shipped, as2: { ...shipped['as2'], ...settings } }) } as unknown as Subject;
    return controls
      .flatMap(({ claims = [] }) => claims)
      .find((claim) => claim.text.startsWith(text))!
      .show(subject);
  };
  expect(shown('the security group lets in exactly the ports')).toHaveLength(1);
  expect(shown('AS2, where it is on, has no port without TLS')).toHaveLength(1);
  expect(shown('AS2, where it is on, has no port without TLS', { plainPort: 4080 })).toHaveLength(0);
  expect(shown('keys of AS2, where it is on')).toHaveLength(4);
  const [, soon] = [...resources].find(([, { Properties }]) => Properties?.MetricName === 'As2KeyDaysLeft')!;
  soon.Properties.AlarmActions = [];
  expect(shown('keys of AS2, where it is on')).toEqual([]);
});

it('the summary names its port', () => {
  expect(summarize({ Resources: template.toJSON()['Resources'] })[0]).toBe('open ports     FTPS 21, 990, 50000-50015; AS2 443 from 203.0.113.0/24');
});

it('without it there is nothing of it', () => {
  expect(JSON.stringify(without.toJSON())).not.toMatch(/As2|"as2|AS2/);
});

/** What becomes of a deployed environment when its settings, the kit or the server change; when it is deleted, and deployed again. More changes: settings.test.ts. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { EndpointKind, FtpsAccount, type FtpsAccountProps, type FtpsEnvironmentOptions, PassivePorts, type SecretAccounts } from '../../../../lib';
import { serverBundleFolder } from '../../../../lib/bundles';
import { Account, type Deployed, type Outcome } from './account';
import { change, environment, having, service, synthesized } from './environment';

jest.mock('../../../../lib/bundles', () => {
  const bundles = jest.requireActual('../../../../lib/bundles');
  return { ...bundles, serverBundleFolder: () => process.env['TEST_SERVER_FOLDER'] ?? bundles.serverBundleFolder() };
});

/** A newer version of the server, or of the files beside it. */
function withNewBundle<Made>(make: () => Made): Made {
  const folder = mkdtempSync(join(tmpdir(), 'ftps-bundle-'));
  try {
    cpSync(serverBundleFolder(), folder, { recursive: true });
    writeFileSync(join(folder, 'ftps.js'), '// a newer server\n');
    process.env['TEST_SERVER_FOLDER'] = folder;
    return make();
  } finally {
    delete process.env['TEST_SERVER_FOLDER'];
    rmSync(folder, { recursive: true });
  }
}

const two = environment();

describe('a change', () => {
  it('of nothing does nothing', () => {
    expect(change(two, two)).toEqual({ fates: new Map(), problems: [] });
    expect(synthesized({})).toEqual(two);
  });

  it.each<[string, FtpsEnvironmentOptions, FtpsEnvironmentOptions]>([
    ['three instances become one', { instances: 3 }, { instances: 1 }],
    ['elastic addresses become a load balancer', {}, { endpoint: EndpointKind.LOAD_BALANCER }],
    ['a load balancer becomes elastic addresses', { endpoint: EndpointKind.LOAD_BALANCER }, {}],
    ['active mode', {}, { server: { overrides: { active: { enabled: true } } } }],
    ['another passive range', {}, { server: { passivePorts: PassivePorts.AWS_TRANSFER_FAMILY } }],
  ])('%s: nothing is stuck, and nothing is lost', (_, before, after) => {
    expect(change(environment(before), environment(after)).problems).toEqual([]);
  });

  it('to a new server builds an image under a new name, and moves the instances to it', () => {
    const outcome = change(two, withNewBundle(environment));
    expect(outcome.problems).toEqual([]);
    expect(having(outcome, 'replaced')).toEqual(['ImageBuilder::Component', 'ImageBuilder::Image', 'ImageBuilder::ImageRecipe']);
    expect(having(outcome, 'updated')).toEqual(expect.arrayContaining(['CloudFormation::CustomResource']));
  });

  it('of a tag replaces nothing', () => {
    expect(having(change(two, environment({ tags: { team: 'files' } })), 'replaced')).toEqual([]);
  });
});

describe('SFTP', () => {
  const withSftp = environment({ server: { sftp: {} } });
  const types = ({ fates }: Outcome, fate: string) => [...fates.values()].filter((one) => one.fate === fate).map(({ type }) => type.replace(/^AWS::/, ''));

  it('comes to a running environment by its own resources, and changes of the others what says its port', () => {
    const outcome = change(two, withSftp);
    expect(outcome.problems).toEqual([]);
    expect(having(outcome, 'replaced')).toEqual([]);
    expect(having(outcome, 'deleted')).toEqual([]);
    expect(types(outcome, 'updated').sort()).toEqual([
      ...['CloudFormation::CustomResource', 'CloudWatch::Alarm', 'CloudWatch::Dashboard', 'EC2::LaunchTemplate', 'EC2::SecurityGroup', 'IAM::Policy'],
    ]);
    const created = [...outcome.fates].filter(([, { fate }]) => fate === 'created').map(([id]) => id.replace(/^.*\//, ''));
    expect(
      created.filter((id) => !/^(HostKeys|ServiceAlarmsSftp|LogsSftp|LogsArchive(Query|Statement)(sessionsbyprotocol|sshsessionsofanaccount))/.test(id)),
    ).toEqual([]);
  });

  it('on another port is an update of what says the port', () => {
    const outcome = change(withSftp, environment({ server: { sftp: { port: 2022 } } }));
    expect([outcome.problems, having(outcome, 'replaced'), having(outcome, 'created')]).toEqual([[], [], []]);
    expect(types(outcome, 'updated').sort()).toEqual(['CloudFormation::CustomResource', 'Custom::FtpsHostKeys', 'EC2::LaunchTemplate', 'EC2::SecurityGroup']);
  });

  it('goes again without anything that is stuck, and leaves its host keys', () => {
    const outcome = change(withSftp, two);
    expect([outcome.problems, having(outcome, 'replaced')]).toEqual([[], []]);
    expect(types(outcome, 'kept').sort()).toEqual(['KMS::Key', 'Logs::LogGroup', 'SecretsManager::Secret']);
  });
});

describe('accounts in code', () => {
  const account = (id: string, props: Partial<FtpsAccountProps> = {}, password = 'acme/password') =>
    synthesized({}, ({ dataStack, service }) => {
      new FtpsAccount(dataStack, id, {
        accounts: service.accounts as SecretAccounts,
        userName: 'acme',
        password: Secret.fromSecretNameV2(dataStack, 'Password', password),
        ...props,
      });
    });
  const one = account('Acme');
  /** What becomes of the accounts themselves, and of everything else. */
  const fatesIn = ({ fates }: Outcome) => [...fates.values()].map(({ fate, type }) => `${fate} ${type.replace(/^AWS::/, '')}`).sort();

  it('the first brings its Lambda, and the service is left alone', () => {
    const outcome = change(two, one);
    expect(outcome.problems).toEqual([]);
    expect(new Set(fatesIn(outcome).map((fate) => fate.split(' ')[0]))).toEqual(new Set(['created']));
  });

  it.each<[string, Deployed[], string[]]>([
    ['another name is an update, of which the old account is let go when it is over', account('Acme', { userName: 'acme-2' }), ['updated Custom::FtpsAccount']],
    ['other rules are an update', account('Acme', { home: '/elsewhere' }), ['updated Custom::FtpsAccount']],
    ['another secret with its password is one, with a permission', account('Acme', {}, 'new/password'), ['updated Custom::FtpsAccount', 'updated IAM::Policy']],
    ['another id makes the new one before the old one goes', account('Renamed'), ['created Custom::FtpsAccount', 'deleted Custom::FtpsAccount']],
    ['none any more takes the Lambda along, once the account is gone', two, []],
  ])('%s', (_, after, expected) => {
    const outcome = change(one, after);
    expect(outcome.problems).toEqual([]);
    if (expected.length > 0) expect(fatesIn(outcome)).toEqual(expected);
    else expect(new Set(fatesIn(outcome).map((fate) => fate.replace(/ .*/, '')))).toEqual(new Set(['deleted', 'kept'])); // the log of the Lambda is kept
  });
});

describe('an environment', () => {
  it('whose first deployment failed leaves nothing behind that its second one would meet', () => {
    const account = new Account();
    expect(having(account.fail(two), 'kept')).toEqual([]);
    expect(account.deploy(two).problems).toEqual([]);
  });

  it.each([
    ['without an archive', 0],
    ['with an archive', 30],
  ])('that is not protected goes, %s, and is deployed again', (_, archiveDays) => {
    const account = new Account(true);
    const place = environment({ instances: 1, protect: false, archiveRetention: Duration.days(archiveDays) });
    account.deploy(place);
    const gone = account.destroy(place);
    expect(gone.problems).toEqual([]);
    // What nobody can delete stays: locked logs, with the key that reads them.
    expect(having(gone, 'kept')).toEqual(archiveDays > 0 ? ['KMS::Key', 'S3::Bucket'] : []);
    expect(account.deploy(place).problems).toEqual([]);
  });

  it('that is protected keeps its data when it is deleted all the same, and is deployed again beside it', () => {
    const account = new Account();
    account.deploy(two);
    const gone = account.destroy(two);
    expect(gone.problems).toEqual([]);
    expect(having(gone, 'kept')).toEqual(
      expect.arrayContaining(['EC2::EIP', 'EFS::FileSystem', 'KMS::Key', 'Logs::LogGroup', 'S3::Bucket', 'SecretsManager::Secret']),
    );
    expect(account.deploy(two).problems).toEqual([]);
  });
});

describe('one key for everything, given later', () => {
  const keyOf = (id: string) => `arn:aws:kms:eu-central-1:111122223333:key/${id}`;
  const first = service(keyOf('first'));

  it.each([
    ['where each part had its own', service()],
    ['in the place of another', service(keyOf('another'))],
  ])('%s: changes what it encrypts in place, but for the file system, which is kept beside a new one, and the image', (_, before) => {
    const outcome = change(before, first);
    expect(having(outcome, 'replaced')).toEqual(['EFS::FileSystem', 'EFS::MountTarget', 'ImageBuilder::Image', 'ImageBuilder::ImageRecipe']);
    expect(having(outcome, 'updated')).toEqual(
      expect.arrayContaining(['DynamoDB::Table', 'EC2::LaunchTemplate', 'Logs::LogGroup', 'S3::Bucket', 'SNS::Topic', 'SQS::Queue', 'SecretsManager::Secret']),
    );
    // Of yesterday's lock-outs nothing is worth its key.
    expect(outcome.problems.filter((one) => !/LockoutsKey\w+: lost/.test(one))).toEqual([]);
  });

  it('the keys that leave the template stay, with what they have encrypted', () => {
    const { fates } = change(service(), first);
    const gone = [...fates].filter(([id, { fate, type }]) => type === 'AWS::KMS::Key' && fate !== 'kept' && !/Lockouts/.test(id));
    expect(gone).toEqual([]);
    expect([...fates].filter(([, { fate, type }]) => type === 'AWS::KMS::Key' && fate === 'kept').length).toBeGreaterThan(8);
  });
});

/** One account, said in code: a secret that the server reads, written at deployment. */
import { CustomResource, type Duration, type ITaggableV2, Lazy, RemovalPolicy, type Size, Stack, TagManager, TagType, Token } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { describeIssue, passwordAccount } from '../../server/config';
import { refuseUnknownProps } from '../known-props';
import { AccountWriter } from './account-writer';
import { CertificateDemand, type FilePermission } from './directory-accounts';
import type { SecretAccounts } from './secret-accounts';
import { type SshCertificates, SshLogin } from './ssh-login';

/** A client certificate that stands for an account; exactly one of the keys. */
export interface AccountCertificate {
  /**
   * Common name of its subject.
   * @default - it is named in another way
   */
  readonly commonName?: string;
  /**
   * One of its subject alternative names: `DNS:partner.example.com`, `email:ops@example.com`.
   * @default - it is named in another way
   */
  readonly subjectAltName?: string;
  /**
   * SHA-256 of the certificate, in hexadecimal.
   * @default - it is named in another way
   */
  readonly fingerprint?: string;
}

/** How fast all transfers of an account together may move bytes. */
export interface AccountBandwidth {
  /**
   * What it may be sent in a second, listings included.
   * @default - as fast as they can
   */
  readonly download?: Size;
  /**
   * What it may send in a second.
   * @default - as fast as they can
   */
  readonly upload?: Size;
}

/** How much the home of an account may hold. */
export interface AccountQuota {
  /**
   * All files together.
   * @default - no bound
   */
  readonly size?: Size;
  /**
   * How many files.
   * @default - no bound
   */
  readonly files?: number;
}

/** What `FtpsAccount` is told. */
export interface FtpsAccountProps {
  /** The accounts of the service, in the same stack or in another one. */
  readonly accounts: SecretAccounts;
  /**
   * Name to log in with. Another name makes another account, with the same rules; the old one goes when that is there.
   * @default - the id of the construct
   */
  readonly userName?: string;
  /**
   * Secret with the password: text, or JSON with `password`. It is hashed at deployment, and within a quarter of an hour after it was
   * exchanged; the password itself stays where it is.
   * @default - none; the account logs in with a certificate or a key alone
   */
  readonly password?: ISecret;
  /**
   * Whether a password is taken that a new account could not have: shorter than twelve characters, or without letters and digits.
   * @default false
   */
  readonly acceptWeakPassword?: boolean;
  /**
   * Folder of the account below the storage root; the account sees it as `/`.
   * @default - a folder named for the account
   */
  readonly home?: string;
  /**
   * What it may do there.
   * @default - all of them
   */
  readonly permissions?: FilePermission[];
  /**
   * Whether it may replace a file that is there, or add to it.
   * @default true
   */
  readonly overwrite?: boolean;
  /**
   * Client networks that it may come from, in CIDR form.
   * @default - any
   */
  readonly allowedNetworks?: string[];
  /**
   * Client networks that it may not come from, looked at before `allowedNetworks`.
   * @default - none
   */
  readonly deniedNetworks?: string[];
  /**
   * Whether a client certificate is needed beside or instead of the password.
   * @default - CertificateDemand.REQUIRED with `certificates` and a password, INSTEAD_OF_PASSWORD with `certificates` alone, else NO
   */
  readonly clientCertificate?: CertificateDemand;
  /**
   * Client certificates that stand for the account; any one is enough.
   * @default - none
   */
  readonly certificates?: AccountCertificate[];
  /**
   * Keys that it may log in with over SSH, each a line as `ssh-keygen` writes it into a `.pub` file.
   * @default - none
   */
  readonly publicKeys?: string[];
  /**
   * What it needs to log in over SSH; FTPS asks for its password in any case.
   * @default SshLogin.PASSWORD_OR_KEY
   */
  readonly sshLogin?: SshLogin;
  /**
   * Which certificates of users stand for it over SSH. One that has neither a password nor keys says so by `{}`.
   * @default - those of the authorities of the server that name the account
   */
  readonly sshCertificates?: SshCertificates;
  /**
   * How fast all its transfers together may move bytes.
   * @default - as fast as they can
   */
  readonly bandwidth?: AccountBandwidth;
  /**
   * How much its home may hold.
   * @default - no bound
   */
  readonly quota?: AccountQuota;
  /**
   * Age at which its files are deleted.
   * @default - never
   */
  readonly retention?: Duration;
  /**
   * Sessions at once.
   * @default - as many as the server lets one account have
   */
  readonly maxSessions?: number;
  /**
   * Whether anybody logs in with it. One that only stands for a partner of AS2 (`As2Agreement`) has no password, certificates or keys, and says `false`.
   * @default true
   */
  readonly logsIn?: boolean;
  /**
   * Whether it may log in.
   * @default - true; an account that was disabled with `ftps user disable` stays so
   */
  readonly enabled?: boolean;
  /**
   * What becomes of the account when the construct is removed, or gets another name. A removed one can be restored for 30 days; one that is
   * retained goes on, and the next construct of its name takes it over.
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** One account, said in code: a secret that the server reads, written at deployment by a Lambda that hashes its password. */
export class FtpsAccount extends Construct implements ITaggableV2 {
  /** Name to log in with. */
  public readonly userName: string;
  /** Name of the secret that the server reads. */
  public readonly secretName: string;
  /** Tags of that secret. */
  public readonly cdkTagManager = new TagManager(TagType.KEY_VALUE, 'AWS::SecretsManager::Secret');

  constructor(scope: Construct, id: string, props: FtpsAccountProps) {
    super(scope, id);
    refuseUnknownProps(props, 'FtpsAccountProps');
    const { accounts, userName = id, password, acceptWeakPassword = false, removalPolicy = RemovalPolicy.DESTROY } = props;
    const rules = rulesOf(userName, props);
    refuseWrong(userName, rules, props);
    const writer = AccountWriter.of(this, accounts);
    accounts._takeUp(userName, writer);
    if (password) writer.mayRead(password);
    const resource = new CustomResource(this, 'Resource', {
      serviceToken: writer.function.lambda.functionArn,
      resourceType: 'Custom::FtpsAccount',
      properties: {
        User: userName,
        Rules: Stack.of(this).toJsonString(rules),
        ...(password ? { PasswordSecret: password.secretArn, AcceptWeakPassword: String(acceptWeakPassword) } : {}),
        Fips: Lazy.string({ produce: () => String(accounts._fips) }),
        Retain: String(removalPolicy !== RemovalPolicy.DESTROY),
        Tags: this.cdkTagManager.renderedTags,
      },
    });
    // Its role and its permissions are there before the first account, and until the last one is gone.
    resource.node.addDependency(writer);
    // Which policy the servers have is known when a service has taken up the accounts.
    this.node.addValidation({ validate: () => (accounts._fips ? notApproved(props.sshCertificates?.authorities) : []) });
    this.userName = userName;
    this.secretName = resource.ref;
  }
}

/** Authorities whose signatures servers with `TlsPolicy.FIPS` do not take. */
function notApproved(authorities: readonly string[] = []): string[] {
  return authorities.flatMap((authority, index) =>
    authority.startsWith('ssh-ed25519 ')
      ? [
          `sshCertificates.authorities[${index}]: is an Ed25519 key, which TlsPolicy.FIPS does not take, so that nobody could log in by it; let an ECDSA or RSA key sign`,
        ]
      : [],
  );
}

/** A certificate would do in place of a password, and there is none that stands for it, over SSH neither. */
const NO_WAY_IN = { clientCertificate: CertificateDemand.INSTEAD_OF_PASSWORD, certificates: [], sshCertificates: { principals: [] } };

/** The account as the server reads it, without its name and its hash. */
function rulesOf(userName: string, props: FtpsAccountProps) {
  const { permissions, overwrite, allowedNetworks, deniedNetworks, publicKeys, sshLogin, sshCertificates, maxSessions, enabled } = props;
  const { password, certificates, quota, bandwidth } = props;
  return given({
    home: props.home ?? `/${userName}`,
    permissions,
    overwrite,
    allowedNetworks,
    deniedNetworks,
    clientCertificate: props.clientCertificate ?? (certificates && (password ? CertificateDemand.REQUIRED : CertificateDemand.INSTEAD_OF_PASSWORD)),
    certificates: certificates?.map(certificateOf),
    publicKeys,
    sshLogin,
    sshCertificates: sshCertificates && given({ principals: sshCertificates.principals, authorities: sshCertificates.authorities }),
    maxSessions,
    retentionDays: props.retention?.toDays(),
    quota: quota && given({ bytes: quota.size?.toBytes(), files: quota.files }),
    bandwidth: bandwidth && given({ downloadBytesPerSecond: bandwidth.download?.toBytes(), uploadBytesPerSecond: bandwidth.upload?.toBytes() }),
    enabled,
    ...(props.logsIn === false ? NO_WAY_IN : {}),
  });
}

function certificateOf({ commonName, subjectAltName, fingerprint }: AccountCertificate, index: number) {
  const named = [
    ...(commonName === undefined ? [] : [{ kind: 'subject' as const, commonName }]),
    ...(subjectAltName === undefined ? [] : [{ kind: 'san' as const, value: subjectAltName }]),
    ...(fingerprint === undefined ? [] : [{ kind: 'fingerprint' as const, sha256: fingerprint }]),
  ];
  if (named.length !== 1) throw new Error(`certificates[${index}]: is named by exactly one of commonName, subjectAltName, fingerprint`);
  return named[0]!;
}

/** Names that Secrets Manager allows after the prefix (API reference, CreateSecret); a slash would be another account's. */
const POSSIBLE_NAME = /^[A-Za-z0-9_+=.@-]{1,128}$/;

/** Throws an Error that names every wrong prop. What only the deployment knows, the Lambda checks before it writes. */
function refuseWrong(userName: string, rules: object, props: FtpsAccountProps): void {
  const { password, certificates, publicKeys, sshLogin, sshCertificates, clientCertificate } = props;
  const problems: string[] = [];
  if (!Token.isUnresolved(userName) && !POSSIBLE_NAME.test(userName))
    problems.push(`userName: "${userName}" can't be the name of an account in Secrets Manager; use up to 128 letters, digits and _+=.@-`);
  const known = Object.fromEntries(Object.entries(rules).filter(([, value]) => !hasToken(value)));
  const parsed = passwordAccount.safeParse({ user: 'user', ...known }, { reportInput: true });
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap(describeIssue).map(({ key, message }) => `${propOf(key)}: ${message}`));
  const alone = clientCertificate === CertificateDemand.INSTEAD_OF_PASSWORD;
  if (clientCertificate !== undefined && clientCertificate !== CertificateDemand.NO && !certificates?.length)
    problems.push(`certificates: is empty, so no certificate could stand for the account; clientCertificate is "${clientCertificate}"`);
  const hasKeys = publicKeys?.length || (sshCertificates && sshCertificates.principals?.length !== 0 && sshCertificates.authorities?.length !== 0);
  if (props.logsIn === false) {
    const ways = { password, certificates, publicKeys, sshLogin, sshCertificates, clientCertificate };
    for (const [prop, value] of Object.entries(ways))
      if (value !== undefined) problems.push(`${prop}: is a way in, or says which, and logsIn is false; leave one of them out`);
  } else if (!password && !certificates?.length && !hasKeys)
    problems.push(
      'password: is missing, and there are neither certificates nor publicKeys nor sshCertificates, so nobody could log in; give the secret with the password, or say logsIn: false where it only stands for a partner of AS2',
    );
  if (sshLogin !== undefined && sshLogin !== SshLogin.PASSWORD_OR_KEY && !hasKeys)
    problems.push(
      `publicKeys: is empty, and sshLogin is "${sshLogin}", so it could not log in over SSH; give a key, or sshCertificates for those of an authority`,
    );
  if (sshLogin === SshLogin.KEY_AND_PASSWORD && !password)
    problems.push('password: is missing, and sshLogin is "key-and-password"; give the secret with the password');
  if (password && alone) problems.push('password: is never asked for where clientCertificate is "instead-of-password"; leave one of them out');
  if (problems.length > 0) throw new Error(`Account "${userName}":\n${problems.map((one) => `  ${one}`).join('\n')}`);
}

/** The name that the engineer knows a key by. */
function propOf(key: string): string {
  const known: Record<string, string> = {
    'quota.bytes': 'quota.size',
    'bandwidth.downloadBytesPerSecond': 'bandwidth.download',
    'bandwidth.uploadBytesPerSecond': 'bandwidth.upload',
    retentionDays: 'retention',
  };
  return known[key] ?? key.replace(/^(certificates\[\d+\])\.sha256$/, '$1.fingerprint').replace(/^(certificates\[\d+\])\.value$/, '$1.subjectAltName');
}

const hasToken = (value: unknown): boolean => Token.isUnresolved(value) || (typeof value === 'object' && value !== null && Object.values(value).some(hasToken));

/** Without the keys that nobody gave. */
function given(keys: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
}

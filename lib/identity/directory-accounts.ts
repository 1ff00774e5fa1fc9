/** Accounts of a directory that is there already: OpenLDAP, Active Directory, AWS Managed Microsoft AD. */

import type { Duration } from 'aws-cdk-lib';
import { type IConnectable, Peer, Port } from 'aws-cdk-lib/aws-ec2';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { DirectorySettingsInput } from '../../server/config';
import { refuseUnknownProps } from '../known-props';
import { FtpsAccounts } from './accounts';
import { grantReadOf } from './secrets-key';
import { type SshCertificates, SshLogin } from './ssh-login';

/** How a directory says who is in a group, and that an account is disabled, expired or locked. */
export enum DirectoryFlavour {
  /** OpenLDAP, 389 Directory Server and their kin. */
  LDAP = 'ldap',
  ACTIVE_DIRECTORY = 'active-directory',
}

/** What an account may do in its home. */
export enum FilePermission {
  READ = 'read',
  WRITE = 'write',
  LIST = 'list',
  DELETE = 'delete',
  RENAME = 'rename',
  MKDIR = 'mkdir',
}

/** Whether a client certificate is asked for at login. */
export enum CertificateDemand {
  NO = 'no',
  /** Password and certificate. */
  REQUIRED = 'required',
  /** The certificate alone. */
  INSTEAD_OF_PASSWORD = 'instead-of-password',
}

/** A client certificate that stands for an account; exactly one of the keys. `{user}` and `{attribute}` may be used in the first two. */
export interface DirectoryCertificate {
  /**
   * Common name of its subject.
   * @default - it is named in another way
   */
  readonly commonName?: string;
  /**
   * One of its subject alternative names, `email:{mail}` for example.
   * @default - it is named in another way
   */
  readonly subjectAltName?: string;
  /**
   * The attribute in which the directory keeps certificates, `userCertificate` or `userCertificate;binary`.
   * @default - it is named in another way
   */
  readonly attribute?: string;
}

/** Which users, and what they may do. */
export interface DirectoryRule {
  /**
   * Distinguished name of a group whose members the rule is for.
   * @default - everyone
   */
  readonly group?: string;
  /**
   * Name of an attribute that must have `attributeValue`.
   * @default - none
   */
  readonly attribute?: string;
  /**
   * Value that the attribute must have.
   * @default - none; needed with `attribute`
   */
  readonly attributeValue?: string;
  /**
   * Folder of the account; `{user}` is its name, `{attribute}` any attribute with one value.
   * @default - a folder named for the user
   */
  readonly home?: string;
  /**
   * What the accounts of this rule may do.
   * @default - all of them
   */
  readonly permissions?: FilePermission[];
  /**
   * Client networks that the account may come from.
   * @default - any
   */
  readonly allowedNetworks?: string[];
  /**
   * Whether a client certificate is needed beside or instead of the password.
   * @default CertificateDemand.NO
   */
  readonly clientCertificate?: CertificateDemand;
  /**
   * Which client certificates are the user's.
   * @default - none
   */
  readonly certificates?: DirectoryCertificate[];
  /**
   * What the accounts of this rule need to log in over SSH; FTPS asks for the password in any case. Their keys are those of `keyAttribute`.
   * @default SshLogin.PASSWORD_OR_KEY
   */
  readonly sshLogin?: SshLogin;
  /**
   * Which certificates of users stand for them over SSH.
   * @default - those of the authorities of the server that name the account
   */
  readonly sshCertificates?: SshCertificates;
}

/** What `DirectoryAccounts` is told. */
export interface DirectoryAccountsProps {
  /**
   * How the directory names users and groups.
   * @default DirectoryFlavour.LDAP
   */
  readonly flavour?: DirectoryFlavour;
  /** `ldaps://host`, or `ldap://host` for StartTLS, with or without a port; asked in this order. */
  readonly servers: string[];
  /** Networks in which these servers are, in CIDR form; the instances may reach them on their ports and nowhere else. */
  readonly serverCidrs: string[];
  /**
   * Authorities of the servers' certificates, in PEM.
   * @default - the well-known ones
   */
  readonly ca?: string;
  /**
   * Name of an account that may search users and groups and nothing more.
   * @default - none; then `bindName` is needed
   */
  readonly serviceAccount?: string;
  /**
   * Secret with the `password` of that account. Where it has a key of its own, name that too: `Secret.fromSecretAttributes` with `encryptionKey`.
   * @default - none; needed with `serviceAccount`
   */
  readonly servicePassword?: ISecret;
  /**
   * Name that users bind with, without a service account: `uid={user},ou=people,dc=example,dc=com` or `{user}@corp.example.com`.
   * @default - none; then `serviceAccount` is needed
   */
  readonly bindName?: string;
  /**
   * Realms that users may write before a backslash or behind an @.
   * @default - none
   */
  readonly realms?: string[];
  /** Distinguished name below which users are. */
  readonly userBase: string;
  /**
   * Filter that finds a user (RFC 4515), with `{user}` in it.
   * @default - by uid; in Active Directory by sAMAccountName and userPrincipalName
   */
  readonly userFilter?: string;
  /**
   * The attribute with the public keys that users may log in with over SSH: `sshPublicKey`, in Active Directory `altSecurityIdentities`. Whoever may
   * write it in an entry may log in as that user. They are looked up by the service account.
   * @default - none; keys are not looked for
   */
  readonly keyAttribute?: string;
  /**
   * Distinguished name below which groups are.
   * @default - that of users
   */
  readonly groupBase?: string;
  /** The first that fits decides; a user whom none fits is refused. */
  readonly rules: DirectoryRule[];
  /**
   * How long a good login is remembered.
   * @default Duration.seconds(0)
   */
  readonly cacheTtl?: Duration;
}

/** Asks a directory at every login. The server's settings, its permission to read the service password, and the network rules come from these props. */
export class DirectoryAccounts extends FtpsAccounts {
  public readonly description: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: DirectoryAccountsProps,
  ) {
    super(scope, id);
    refuseUnknownProps(props, 'DirectoryAccountsProps');
    this.description = props.flavour === DirectoryFlavour.ACTIVE_DIRECTORY ? 'Active Directory' : 'LDAP directory';
    refuseWrong(props);
  }

  public override sources(): { readonly [key: string]: unknown }[] {
    const { flavour, servers, ca, realms, userBase, userFilter, keyAttribute, groupBase, rules, cacheTtl } = this.props;
    return [
      {
        kind: 'directory',
        ...given({ flavour, ca, realms, cacheSeconds: cacheTtl?.toSeconds() }),
        servers,
        bind: this.bind(),
        users: { base: userBase, ...given({ filter: userFilter, keyAttribute }) },
        groups: given({ base: groupBase }),
        rules: rules.map(ruleOf),
      },
    ];
  }

  /** Allows reading the password of the service account. */
  public override grantRead(grantee: IGrantable): Grant {
    const { servicePassword } = this.props;
    return servicePassword ? grantReadOf(servicePassword, grantee) : Grant.drop(grantee, 'Users bind with their own passwords');
  }

  public override allowFrom(instances: IConnectable): void {
    const ports = new Set(this.props.servers.map((server) => Number(/:(\d+)$/.exec(server)?.[1] ?? (/^ldaps:/i.test(server) ? 636 : 389))));
    for (const cidr of this.props.serverCidrs)
      for (const port of ports) instances.connections.allowTo(cidr.includes(':') ? Peer.ipv6(cidr) : Peer.ipv4(cidr), Port.tcp(port), 'Directory');
  }

  public override addOutputs(_scope: Construct): void {
    // Whoever looks after a directory knows it already.
  }

  private bind(): DirectorySettingsInput['bind'] {
    const { serviceAccount, servicePassword, bindName } = this.props;
    return bindName === undefined ? { kind: 'service', dn: serviceAccount!, passwordSecretId: servicePassword!.secretArn } : { kind: 'direct', name: bindName };
  }
}

/** What only the props know; everything else is checked with the server's settings. */
function refuseWrong({ serviceAccount, servicePassword, bindName, serverCidrs, keyAttribute, rules }: DirectoryAccountsProps): void {
  if ((bindName === undefined) === (serviceAccount === undefined))
    throw new Error('serviceAccount, bindName: give one of them; either looks a service account the user up, or the user binds at once');
  if (serviceAccount !== undefined && servicePassword === undefined)
    throw new Error('servicePassword: is missing; give the secret with the "password" of serviceAccount');
  if (serverCidrs.length === 0) throw new Error('serverCidrs: is empty, so the instances could not reach the directory; name the networks of its servers');
  if (keyAttribute !== undefined && bindName !== undefined)
    throw new Error('keyAttribute: needs serviceAccount instead of bindName; without a password nobody else could look the user up');
  rules.forEach(({ attribute, attributeValue, certificates = [], sshLogin }, index) => {
    if (sshLogin !== undefined && sshLogin !== SshLogin.PASSWORD_OR_KEY && bindName !== undefined)
      throw new Error(
        `rules[${index}].sshLogin: "${sshLogin}" needs serviceAccount instead of bindName; without a password nobody else could look the user up`,
      );
    if ((attribute === undefined) !== (attributeValue === undefined)) throw new Error(`rules[${index}]: attribute and attributeValue belong together`);
    for (const certificate of certificates)
      if (Object.values(certificate).filter((value) => value !== undefined).length !== 1)
        throw new Error(`rules[${index}].certificates: each is named by exactly one of commonName, subjectAltName, attribute`);
  });
}

/** Settings of a directory, and the props that they stand for. */
const PROPS: readonly (readonly [setting: RegExp, prop: string])[] = [
  [/^users\.base$/, 'userBase'],
  [/^users\.filter$/, 'userFilter'],
  [/^users\.keyAttribute$/, 'keyAttribute'],
  [/^groups\.base$/, 'groupBase'],
  [/^bind\.dn$/, 'serviceAccount'],
  [/^bind\.passwordSecretId$/, 'servicePassword'],
  [/^bind\.name$/, 'bindName'],
  [/^cacheSeconds$/, 'cacheTtl'],
  [/^(rules\[\d+\])\.attribute\.name$/, '$1.attribute'],
  [/^(rules\[\d+\])\.attribute\.value$/, '$1.attributeValue'],
  [/^(rules\[\d+\])\.account\./, '$1.'],
];

/** The prop that a key of the server's settings below a directory stands for; others stay. */
export function directoryProp(key: string): string {
  return PROPS.reduce((name, [setting, prop]) => name.replace(setting, prop), key);
}

function ruleOf(rule: DirectoryRule) {
  const { group, attribute, attributeValue, home, permissions, allowedNetworks, clientCertificate, certificates, sshLogin, sshCertificates } = rule;
  return {
    ...given({ group }),
    ...(attribute === undefined ? {} : { attribute: { name: attribute, value: attributeValue! } }),
    account: {
      home: home ?? '/{user}',
      ...given({ permissions, allowedNetworks, clientCertificate, certificates: certificates?.map(certificateOf), sshLogin, sshCertificates }),
    },
  };
}

function certificateOf({ commonName, subjectAltName, attribute }: DirectoryCertificate) {
  if (commonName !== undefined) return { kind: 'subject' as const, commonName };
  if (subjectAltName !== undefined) return { kind: 'san' as const, value: subjectAltName };
  return { kind: 'attribute' as const, name: attribute! };
}

/** Without the keys that nobody gave. */
function given<T extends object>(keys: T): { [Key in keyof T]?: NonNullable<T[Key]> } {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined)) as { [Key in keyof T]?: NonNullable<T[Key]> };
}

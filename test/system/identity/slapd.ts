/** OpenLDAP's slapd with a small company in it, in a namespace. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { Issued } from '../../server/support/authority';
import { holds } from './holds';
import type { Namespace } from './namespace';

export const BASE = 'dc=example,dc=com';
export const SERVICE = `cn=ftps,ou=services,${BASE}`;
export const SERVICE_PASSWORD = 'serv1ce-Passw0rd-of-the-directory';
export const NO_RIGHTS = `cn=norights,ou=services,${BASE}`;

export interface Person {
  readonly uid: string;
  readonly password: string;
  readonly more?: readonly string[];
}

export class Slapd {
  private process: ChildProcess | undefined;

  private constructor(
    private readonly namespace: Namespace,
    private readonly folder: string,
    readonly ldaps: number,
    readonly ldap: number,
  ) {}

  static async create(namespace: Namespace, folder: string, certificate: Issued, ca: string, people: readonly Person[]): Promise<Slapd> {
    mkdirSync(join(folder, 'db'), { recursive: true });
    const file = (name: string, content: string) => {
      writeFileSync(join(folder, name), content, { mode: 0o600 });
      return join(folder, name);
    };
    const configuration = file(
      'slapd.conf',
      `${['core', 'cosine', 'nis', 'inetorgperson'].map((schema) => `include /etc/ldap/schema/${schema}.schema`).join('\n')}
attributetype ( 1.3.6.1.4.1.24552.500.1.1.1.13 NAME 'sshPublicKey' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.24552.500.1.1.2.0 NAME 'ldapPublicKey' SUP top AUXILIARY MAY ( sshPublicKey $ uid ) )
pidfile ${join(folder, 'slapd.pid')}
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
TLSCACertificateFile ${file('ca.pem', ca)}
TLSCertificateFile ${file('slapd.pem', certificate.certificate)}
TLSCertificateKeyFile ${file('slapd.key', certificate.key)}
security simple_bind=128
database mdb
suffix "${BASE}"
rootdn "cn=admin,${BASE}"
directory ${join(folder, 'db')}
overlay ppolicy
ppolicy_default "cn=policy,${BASE}"
access to attrs=userPassword by anonymous auth by * none
access to dn.base="ou=people,${BASE}" by dn.exact="${SERVICE}" read by dn.exact="${NO_RIGHTS}" none by users search
access to dn.subtree="ou=people,${BASE}" attrs=entry,mail by dn.exact="${SERVICE}" read by dn.exact="${NO_RIGHTS}" none by users read
access to dn.subtree="${BASE}" by dn.exact="${SERVICE}" read by self read by * none
`,
    );
    const entries = [
      `dn: ${BASE}\nobjectClass: domain\ndc: example`,
      ...['people', 'groups', 'services'].map((unit) => `dn: ou=${unit},${BASE}\nobjectClass: organizationalUnit\nou: ${unit}`),
      ...[SERVICE, NO_RIGHTS].map(
        (dn) =>
          `dn: ${dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: ${/cn=(\w+)/.exec(dn)![1]}\nuserPassword: ${SERVICE_PASSWORD}`,
      ),
      `dn: cn=policy,${BASE}\nobjectClass: pwdPolicy\nobjectClass: organizationalRole\ncn: policy\npwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxFailure: 5\npwdLockoutDuration: 0`,
      ...people.map(({ uid, password, more = [] }) =>
        [`dn: uid=${uid},ou=people,${BASE}`, 'objectClass: inetOrgPerson', `uid: ${uid}`, `cn: ${uid}`, 'sn: Test', `userPassword: ${password}`, ...more].join(
          '\n',
        ),
      ),
    ];
    execFileSync('slapadd', ['-f', configuration, '-l', file('data.ldif', `${entries.join('\n\n')}\n`)], { stdio: ['ignore', 'ignore', 'inherit'] });
    const slapd = new Slapd(namespace, folder, await namespace.door(636), await namespace.door(389));
    await slapd.start();
    return slapd;
  }

  /** Adds entries while it does not run. */
  static group(cn: string, ...members: string[]): string {
    return [`dn: cn=${cn},ou=groups,${BASE}`, 'objectClass: groupOfNames', `cn: ${cn}`, ...members.map((member) => `member: ${member}`)].join('\n');
  }

  add(...entries: string[]): void {
    const file = join(this.folder, 'more.ldif');
    writeFileSync(file, `${entries.join('\n\n')}\n`);
    execFileSync('slapadd', ['-f', join(this.folder, 'slapd.conf'), '-l', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async start(): Promise<void> {
    this.process = this.namespace.spawn('slapd', ['-f', join(this.folder, 'slapd.conf'), '-h', 'ldaps://127.0.0.1/ ldap://127.0.0.1/', '-d', '0']);
    let errors = '';
    this.process.stderr!.on('data', (chunk) => {
      errors += chunk;
    });
    for (let attempt = 0; !(await holds(this.ldaps)); attempt += 1) {
      if (this.process.exitCode !== null || attempt > 200) throw new Error(`slapd did not start: ${errors}`);
      await after(50);
    }
  }

  async kill(): Promise<void> {
    const ended = once(this.process!, 'exit');
    this.process!.kill('SIGKILL');
    await ended;
  }
}

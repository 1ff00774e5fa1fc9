/** A real Active Directory: Samba's domain controller, provisioned for the test, in a namespace. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { Issued } from '../../server/support/authority';
import { run } from '../support/served';
import { holds } from './holds';
import type { Namespace } from './namespace';

export const REALM = 'corp.example.com';
export const DOMAIN = 'CORP';
export const BASE = 'DC=corp,DC=example,DC=com';
const ADMINISTRATOR_PASSWORD = 'Adm1n-of-the-test!';

export class Samba {
  private process: ChildProcess | undefined;
  private readonly configuration: string;

  private constructor(
    private readonly namespace: Namespace,
    folder: string,
    readonly ldaps: number,
    readonly ldap: number,
  ) {
    this.configuration = join(folder, 'etc/smb.conf');
  }

  static async create(namespace: Namespace, folder: string, certificate: Issued, ca: string): Promise<Samba> {
    const samba = new Samba(namespace, folder, await namespace.door(636), await namespace.door(389));
    const provision = ['domain', 'provision', '--server-role=dc', '--dns-backend=NONE', '--use-rfc2307', `--targetdir=${folder}`];
    const names = [`--realm=${REALM}`, `--domain=${DOMAIN}`, '--host-name=dc1', '--host-ip=127.0.0.1', `--adminpass=${ADMINISTRATOR_PASSWORD}`];
    const { code, output } = await run('samba-tool', [...provision, ...names]);
    if (code !== 0) throw new Error(output);
    const file = (name: string, content: string) => {
      writeFileSync(join(folder, name), content, { mode: 0o600 });
      return join(folder, name);
    };
    const settings = [
      'interfaces = lo',
      'bind interfaces only = yes',
      'server services = ldap, kdc, cldap',
      `tls cafile = ${file('ca.pem', ca)}`,
      `tls certfile = ${file('dc.pem', certificate.certificate)}`,
      `tls keyfile = ${file('dc.key', certificate.key)}`,
    ];
    writeFileSync(samba.configuration, readFileSync(samba.configuration, 'utf8').replace('[global]', `[global]\n\t${settings.join('\n\t')}`));
    return samba;
  }

  /** Fills the domain before it runs: passwords by user, members by group, changes in LDIF. */
  async populate(content: {
    users: Record<string, string>;
    groups: readonly string[];
    members: Record<string, readonly string[]>;
    changes: readonly string[];
  }): Promise<void> {
    const { code, output } = await run('/usr/bin/python3', [join(__dirname, 'populate_samba.py'), this.configuration], JSON.stringify(content));
    if (code !== 0) throw new Error(output);
  }

  async start(): Promise<void> {
    this.process = this.namespace.spawn('samba', ['-i', '-M', 'single', '-s', this.configuration, '--debuglevel=0']);
    let errors = '';
    for (const stream of [this.process.stdout!, this.process.stderr!])
      stream.on('data', (chunk) => {
        errors += chunk;
      });
    for (let attempt = 0; !(await holds(this.ldaps)); attempt += 1) {
      if (this.process.exitCode !== null || attempt > 300) throw new Error(`samba did not start: ${errors}`);
      await after(100);
    }
  }

  async kill(): Promise<void> {
    if (!this.process || this.process.exitCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await ended;
  }
}

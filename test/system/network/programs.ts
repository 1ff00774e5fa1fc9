/** Client programs that send a file and bring it back, on a host of the test's network. */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, type Ran, USER } from '../support/served';
import { EXPLICIT, type FarServer } from './far-server';
import type { Host } from './hosts';

/** Sends a file there and back by a client program of that host, by PASV or EPSV, to that address. */
export type RoundTrip = (from: Host, target: string, passive: 'PASV' | 'EPSV', sent: string, back: string, ca: string) => Promise<Ran>;

const curl: RoundTrip = async (from, target, passive, sent, back, ca) => {
  const url = `ftp://${inUrl(target)}:${EXPLICIT}/curl.bin`;
  const options = ['-sS', '-v', '--max-time', '30', '--config', '-', '--cacert', ca, '--ssl-reqd', '--no-ftp-skip-pasv-ip'];
  if (passive === 'PASV') options.push('--disable-epsv');
  const login = `user = "${USER}:${PASSWORD.replaceAll('"', '\\"')}"\n`;
  const up = await from.run('curl', [...options, '-T', sent, url], login);
  return up.code === 0 ? from.run('curl', [...options, url, '-o', back], login) : up;
};

const lftp: RoundTrip = async (from, target, passive, sent, back, ca) => {
  const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
  return from.run(
    'lftp',
    [],
    [
      'debug 5',
      `set ssl:ca-file ${quoted(ca)}`,
      ...['set ftp:ssl-force true', 'set ftp:ssl-protect-data true', 'set net:max-retries 1', 'set net:timeout 20', 'set cmd:fail-exit true'],
      // What the server says is taken as it is.
      'set ftp:fix-pasv-address false',
      `set ftp:prefer-epsv ${passive === 'EPSV'}`,
      `open -u ${quoted(USER)},${quoted(PASSWORD)} ftp://${inUrl(target)}:${EXPLICIT}`,
      `put ${quoted(sent)} -o lftp.bin`,
      `get lftp.bin -o ${quoted(back)}`,
      'bye',
    ].join('\n'),
  );
};

export const programs = { curl, lftp };

function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** Carries a file there and back; answers with what the program said. Throws where it failed or the file changed. */
export async function carries(server: FarServer, program: keyof typeof programs, passive: 'PASV' | 'EPSV', from: Host, target: string): Promise<string> {
  const [sent, back] = [join(server.folder, 'sent.bin'), join(server.folder, 'back.bin')];
  writeFileSync(sent, randomBytes(300_000));
  rmSync(back, { force: true });
  const { code, output } = await programs[program](from, target, passive, sent, back, server.ca);
  if (code !== 0) throw new Error(output);
  if (!readFileSync(back).equals(readFileSync(sent))) throw new Error('the file changed');
  return output;
}

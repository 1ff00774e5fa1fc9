/** OpenSSL's `cms` as the partner. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyPair } from '../../../server/as2/message';

export interface Keys extends KeyPair {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export class OpenSsl {
  readonly folder = mkdtempSync(join(tmpdir(), 'as2-openssl-'));
  private files = 0;

  run(args: readonly string[], input?: Buffer): Buffer {
    return execFileSync('openssl', args, { input, cwd: this.folder, maxBuffer: 256 * 1024 * 1024, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** Content whose signature stands beside it, verified. */
  beside(content: Buffer, signature: Buffer, by: Keys): Buffer {
    writeFileSync(join(this.folder, 'content'), content);
    return this.cms(
      ['-verify', '-binary', '-inform', 'DER', '-content', 'content', '-certfile', by.certificateFile, '-CAfile', by.certificateFile, '-purpose', 'any'],
      signature,
    );
  }

  cms(args: readonly string[], input: Buffer): Buffer {
    return this.run(['cms', ...args], input);
  }

  file(content: Buffer | string): string {
    const path = join(this.folder, `${this.files++}`);
    writeFileSync(path, content);
    return path;
  }

  /** @param kind as `-newkey` has it, such as rsa:2048 or ec */
  keys(name: string, kind: 'rsa:2048' | 'P-256' | 'P-521'): Keys {
    const [keyFile, certificateFile] = [join(this.folder, `${name}.key`), join(this.folder, `${name}.pem`)];
    const newKey = kind === 'rsa:2048' ? ['-newkey', kind] : ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${kind}`];
    this.run([
      'req',
      '-x509',
      '-nodes',
      ...newKey,
      '-keyout',
      keyFile,
      '-out',
      certificateFile,
      '-days',
      '2',
      '-subj',
      `/C=DE/O=Test/CN=${name}`,
      '-addext',
      'keyUsage=digitalSignature,keyEncipherment,keyAgreement',
    ]);
    return { keyFile, certificateFile, key: createPrivateKey(readFileSync(keyFile)), certificate: new X509Certificate(readFileSync(certificateFile)) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A whole MIME entity, taken apart. */
export function entity(bytes: Buffer): { headers: Record<string, string>; body: Buffer } {
  const text = bytes.toString('latin1');
  const end = /\r?\n\r?\n/.exec(text)!;
  const headers = text.slice(0, end.index).replace(/\r?\n[ \t]+/g, ' ');
  return {
    headers: Object.fromEntries(
      headers.split(/\r?\n/).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    ),
    body: bytes.subarray(end.index + end[0].length),
  };
}

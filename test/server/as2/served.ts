/** A real server with AS2 on, partners for it, and messages in a test's own hands. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { type KeyPair, type Opened, openMessage } from '../../../server/as2/message';
import type { ServerConfigInput } from '../../../server/config';
import { TestAuthority } from '../support/authority';
import { type Overrides, type TestAccount, type TestServer, testServer } from '../support/server';

type As2Input = NonNullable<ServerConfigInput['as2']>;
export type PartnerInput = NonNullable<As2Input['partners']>[number];

export interface Party {
  readonly certificate: string;
  readonly key: string;
  readonly pair: KeyPair;
}

export async function party(name: string, options: { readonly until?: number } = {}): Promise<Party> {
  const issued = await (await TestAuthority.create()).issue({ commonName: name, rsa: true, ...options });
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(issued.certificate)![0];
  return { certificate, key: issued.key, pair: { certificate: new X509Certificate(certificate), key: createPrivateKey(issued.key) } };
}

/** What a partner is where nothing else is said: unsigned and plain, so that a test says what it is about. */
export const PLAIN = {
  account: 'demo',
  allowPlainHttp: true,
  require: { signed: false, encrypted: false },
  send: { sign: false, encrypt: false },
  receipt: { signed: false },
  retry: { attempts: 3, firstSeconds: 0.05, longestSeconds: 0.1 },
} as const;

export interface As2Served extends TestServer {
  readonly as2Port: number;
  /** Names in a folder of the account. */
  names(folder: string): Promise<string[]>;
  content(path: string): Promise<string>;
}

export async function as2Served(
  own: Party,
  as2: Partial<Omit<As2Input, 'identity'>> & { readonly id?: string; readonly url?: string; readonly decryption?: readonly Party[] },
  overrides: Overrides = {},
  accounts?: readonly TestAccount[],
): Promise<As2Served> {
  const folder = process.env['TMPDIR'] ?? '/tmp';
  const files = async (one: Party, name: string) => {
    const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    await writeFile(certificate, one.certificate);
    await writeFile(key, one.key);
    return { kind: 'file' as const, certificate, key };
  };
  const { id = 'Us', url, decryption = [], ...rest } = as2;
  const name = `as2-${Math.random().toString(36).slice(2)}`;
  const served = await testServer(
    {
      as2: {
        host: '127.0.0.1',
        plainPort: 0,
        outboxSeconds: 0.1,
        ...rest,
        identity: {
          as2Id: id,
          url,
          signing: await files(own, name),
          decryption: await Promise.all(decryption.map((one, index) => files(one, `${name}-${index}`))),
        },
      },
      ...overrides,
    },
    accounts,
  );
  const as2Port = served.server.listeners.find(({ mode }) => mode === 'as2-plain')?.port ?? 0;
  return {
    ...served,
    as2Port,
    names: (path) =>
      readdir(join(served.files, path)).then(
        (names) => names.sort(),
        () => [],
      ),
    content: (path) => readFile(join(served.files, path), 'utf8'),
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export async function send(port: number, headers: Record<string, string>, body: Buffer | string | AsyncIterable<Buffer>, path = '/as2'): Promise<Answer> {
  // Who has its answer may still be sending when the connection ends.
  const asked = request({ host: '127.0.0.1', port, method: 'POST', path, headers, agent: false }).on('error', () => {});
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => {});
  if (Buffer.isBuffer(body) || typeof body === 'string') asked.end(body);
  else {
    try {
      for await (const piece of body) if (!asked.write(piece)) await once(asked, 'drain');
    } catch (error) {
      asked.destroy();
      throw error;
    }
    asked.end();
  }
  const [response] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) };
}

/** Headers of AS2 that ask for a receipt in the answer. */
export const asking = (id: string, further: Record<string, string> = {}): Record<string, string> => ({
  'AS2-From': 'Them',
  'AS2-To': 'Us',
  'Message-ID': id,
  'Disposition-Notification-To': 'them@example.com',
  ...further,
});

/** The receipt in an answer, or in a request. */
export async function receiptIn({ headers, body }: Pick<Answer, 'headers' | 'body'>, signer?: Party): Promise<Opened> {
  async function* once() {
    yield body;
  }
  return openMessage(
    headers,
    once(),
    { decryption: [], signers: signer ? [signer.pair.certificate] : [], policy: { mustSign: false, mustEncrypt: false } },
    {},
    async () => {},
  );
}

/** One webhook, signed as the Standard Webhooks specification has it (https://www.standardwebhooks.com, version 1). */
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as requestPlain } from 'node:http';
import { Agent, request } from 'node:https';
import type { ServerConfig } from '../../config';
import { readSecret } from '../../secrets/secret';
import { checkHost, guardedLookup } from './reachable';

export type WebhookConfig = ServerConfig['afterRelease']['webhooks'][number];

/** `whsec_`, then 24 to 64 bytes in Base64. */
const SECRET = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/;
/** So long a secret of Secrets Manager is remembered. */
const REMEMBERED_MS = 60_000;

/** The headers of a message. `seconds`: of the attempt, since 1970. */
export function signed(id: string, seconds: number, body: string, secrets: readonly Buffer[]): Record<string, string> {
  const signatures = secrets.map((secret) => `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signatures.join(' ') };
}

/** The bytes of a secret. Throws an Error that never quotes it. */
function secretBytes(text: string, where: string): Buffer {
  const bytes = Buffer.from(SECRET.exec(text)?.[1] ?? '', 'base64');
  if (bytes.length < 24 || bytes.length > 64) throw new Error(`${where} is no secret of webhooks; write whsec_ and Base64 of 24 to 64 bytes`);
  return bytes;
}

/** Refused for good: no other attempt would mend it. */
export class Refused extends Error {}

export class Webhook {
  private readonly url: URL;
  private readonly agent: Agent | undefined;
  private remembered: { readonly until: number; readonly secrets: readonly Buffer[] } | undefined;

  constructor(
    private readonly config: WebhookConfig,
    private readonly now: () => number = Date.now,
  ) {
    this.url = new URL(config.url);
    if (!this.isPlain) this.agent = new Agent({ keepAlive: true, maxSockets: 4 });
  }

  get name(): string {
    return this.config.name;
  }

  private get isPlain(): boolean {
    return this.url.protocol === 'http:';
  }

  /** Fulfilled when the endpoint has taken it. Throws why it has not, in words that have neither the address nor what was sent in them. */
  async post(id: string, body: string): Promise<void> {
    const { config, url, isPlain } = this;
    const secrets = await this.secrets();
    checkHost(url.hostname, config, isPlain);
    const options = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'user-agent': 'cdk-ftps',
        ...signed(id, Math.floor(this.now() / 1000), body, secrets),
      },
      lookup: guardedLookup(config, isPlain),
      signal: AbortSignal.timeout(config.requestSeconds * 1000),
    };
    const ca = config.ca === undefined ? undefined : await authoritiesOf(config.ca);
    const status = await new Promise<number>((resolve, reject) => {
      const asked = isPlain ? requestPlain(url, options) : request(url, { ...options, agent: this.agent, ca });
      asked.on('error', (error) => reject(new Error(reasonOf(error, config.requestSeconds))));
      asked.on('response', (response) => {
        resolve(response.statusCode ?? 0);
        // What it says is nobody's business, however long it is.
        response.resume();
        response.on('data', () => response.destroy());
        response.on('error', () => {});
      });
      asked.end(body);
    });
    if (status >= 200 && status < 300) return;
    if (status === 410) throw new Refused('the endpoint answered 410: it wants no more of this');
    throw new Error(`the endpoint answered ${status}${status >= 300 && status < 400 ? ', and redirects are not followed' : ''}`);
  }

  close(): void {
    this.agent?.destroy();
  }

  private async secrets(): Promise<readonly Buffer[]> {
    const { remembered } = this;
    if (remembered && remembered.until > this.now()) return remembered.secrets;
    const secrets = await Promise.all(this.config.secrets.map(secretOf));
    // A file is read each time, so that a new one is taken up at once.
    if (this.config.secrets.some(({ kind }) => kind === 'secret')) this.remembered = { until: this.now() + REMEMBERED_MS, secrets };
    return secrets;
  }
}

async function secretOf(source: WebhookConfig['secrets'][number]): Promise<Buffer> {
  if (source.kind === 'file') return secretBytes((await readFile(source.file, 'utf8').catch(unreadable(source.file))).split('\n', 1)[0]!.trim(), source.file);
  const value = (await readSecret(source.secretId)) as { secret?: unknown } | null;
  return secretBytes(typeof value?.secret === 'string' ? value.secret : '', `"secret" in the secret ${source.secretId}`);
}

async function authoritiesOf(ca: string): Promise<string> {
  return ca.includes('-----BEGIN CERTIFICATE-----') ? ca : readFile(ca, 'utf8').catch(unreadable(ca));
}

function unreadable(file: string) {
  return (error: NodeJS.ErrnoException): never => {
    throw new Error(`${file} can't be read (${error.code})`);
  };
}

/** Errors of names and addresses have them in their words. */
function reasonOf(error: NodeJS.ErrnoException, seconds: number): string {
  if (error.name === 'TimeoutError' || error.code === 'ABORT_ERR') return `no answer within ${seconds} seconds`;
  return error.code === undefined ? error.message : `the endpoint can't be reached (${error.code})`;
}

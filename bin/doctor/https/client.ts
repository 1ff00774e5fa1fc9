/** Requests over HTTPS on one connection after the other, as a program makes them; the certificate is looked at by itself. */
import { Agent, request } from 'node:https';
import type { Target } from '../control-connection';
import type { Trust } from '../trust';

/** What is read of an answer at most. Bytes. */
const LONGEST_ANSWER = 16 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** One for each cookie. */
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

export class HttpsClient {
  private readonly agent: Agent;

  constructor(
    private readonly target: Target,
    private readonly trust: Trust,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: 1, ...trust.options, rejectUnauthorized: false });
  }

  /** Throws an Error in words for a person where there is no answer. */
  async ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: Buffer): Promise<Answer> {
    const { host, port, timeout } = this.target;
    const named = port === 443 ? this.trust.name : `${this.trust.name}:${port}`;
    return new Promise((resolve, reject) => {
      const length = body ? { 'content-length': `${body.length}` } : {};
      const asked = request({ host, port, method, path, agent: this.agent, headers: { host: named, ...length, ...headers } });
      const timer = setTimeout(() => asked.destroy(new Error(`no answer to ${method} ${path} within ${timeout / 1000} seconds`)), timeout);
      const fail = (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        asked.destroy();
        reject(error.code === 'ECONNRESET' ? new Error('the server closed the connection') : error);
      };
      asked.on('error', fail).on('response', (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response
          .on('error', fail)
          .on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > LONGEST_ANSWER) return fail(new Error(`the answer to ${method} ${path} is longer than ${LONGEST_ANSWER} bytes`));
            chunks.push(chunk);
          })
          .on('end', () => {
            clearTimeout(timer);
            const { statusCode = 0, headers: own } = response;
            resolve({ status: statusCode, headers: own as Answer['headers'], cookies: own['set-cookie'] ?? [], body: Buffer.concat(chunks) });
          });
      });
      asked.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** The words of a refusal, where it is a problem (RFC 9457). */
export function wordsOf({ status, body, headers }: Answer): string {
  if (!/json/.test(headers['content-type'] ?? '')) return `${status}`;
  try {
    const { title } = JSON.parse(body.toString('utf8')) as { title?: unknown };
    return typeof title === 'string' ? `${status} ${title}` : `${status}`;
  } catch {
    return `${status}`;
  }
}

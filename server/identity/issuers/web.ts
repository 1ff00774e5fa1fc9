/** Asks an issuer, over HTTPS whose certificate is verified. What it answers is bounded, and leads nowhere else. */
import { once } from 'node:events';
import { request } from 'node:https';

/** A set of keys has some 20 KB, with certificates. Bytes. */
const LONGEST_ANSWER = 256 * 1024;
const ANSWER_MS = 5_000;

export interface Question {
  /** Authorities in PEM; absent means the well-known ones. */
  readonly ca: string | undefined;
  /** Sent as a form, where there is one. */
  readonly form?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface WebAnswer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

export type Web = (url: string, question: Question) => Promise<WebAnswer>;

/** Throws an Error that says what came instead of a JSON object. A redirection is not followed: it would be another one who answers. */
export const askTheWeb: Web = async (url, { ca, form, headers }) => {
  const { protocol } = new URL(url);
  if (protocol !== 'https:') throw new Error(`${url} is not https`);
  const body = form?.toString();
  const asked = request(url, {
    method: body === undefined ? 'GET' : 'POST',
    ca,
    minVersion: 'TLSv1.2',
    agent: false,
    signal: AbortSignal.timeout(ANSWER_MS),
    headers: { accept: 'application/json', ...headers, ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }) },
  });
  asked.end(body);
  try {
    const [response] = await once(asked, 'response');
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > LONGEST_ANSWER) throw new Error(`answered more than ${LONGEST_ANSWER} bytes`);
      chunks.push(chunk);
    }
    return { status: response.statusCode, json: objectIn(Buffer.concat(chunks).toString(), response.statusCode) };
  } catch (error) {
    const { name, message } = error as Error;
    throw new Error(`${url}: ${name === 'AbortError' || name === 'TimeoutError' ? `no answer within ${ANSWER_MS / 1000} s` : message}`);
  } finally {
    asked.destroy();
  }
};

function objectIn(text: string, status: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What came is nobody's to read in a log.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`answered ${status} and no JSON object`);
  return value as Readonly<Record<string, unknown>>;
}

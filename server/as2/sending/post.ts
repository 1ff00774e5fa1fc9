/** One request to a partner. No redirect is followed: where messages go is agreed on. */

import { readFile } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { As2Partner } from '../../config';

/** An answer of a partner is a receipt, and no larger. Bytes. */
const MOST_ANSWERED = 1024 * 1024;
/** Read ahead of a message of unknown length: what is shorter gets a Content-Length, which old servers need. Bytes. */
const AHEAD = 1024 * 1024;
const CONNECT_MS = 30_000;

export interface Post {
  /** Default: POST. */
  readonly method?: 'HEAD';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Buffer> | Buffer;
  /** Told when there is a connection, before anything is sent. */
  readonly onConnected?: (socket: Socket) => void;
  readonly signal?: AbortSignal;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** Rejected with an Error for the operator where there is no answer. */
export async function post(
  { method, url, headers, body, onConnected, signal }: Post,
  partner: Pick<As2Partner, 'silentSeconds' | 'tlsCa' | 'allowPlainHttp'>,
): Promise<Answered> {
  const target = new URL(url);
  if (target.protocol !== 'https:' && !partner.allowPlainHttp) throw new Error(`${target.protocol}// is not allowed for this partner`);
  const ca = partner.tlsCa === undefined ? undefined : partner.tlsCa.startsWith('-----BEGIN ') ? partner.tlsCa : await readFile(partner.tlsCa, 'utf8');
  const { whole, rest } = await ahead(body);
  const hasLength = method === 'HEAD' || Object.keys(headers).some((name) => name.toLowerCase() === 'content-length');
  const options = {
    method: method ?? 'POST',
    headers: { 'User-Agent': 'cdk-ftps', ...headers, ...(hasLength || rest ? {} : { 'Content-Length': String(whole.length) }) },
    timeout: partner.silentSeconds * 1000,
    agent: false as const,
    signal,
  };
  const request = target.protocol === 'https:' ? tlsRequest(target, { ...options, ca, minVersion: 'TLSv1.2' }) : plainRequest(target, options);
  const connecting = setTimeout(() => request.destroy(new Error(`${target.host} could not be reached within ${CONNECT_MS / 1000} seconds`)), CONNECT_MS);
  request.on('socket', (socket) => {
    const ready = () => {
      clearTimeout(connecting);
      onConnected?.(socket);
    };
    socket.once(target.protocol === 'https:' ? 'secureConnect' : 'connect', ready);
  });
  request.on('timeout', () => request.destroy(new Error(`${target.host} was silent for ${partner.silentSeconds} seconds`)));
  try {
    const answered = answerOf(request);
    answered.catch(() => {}); // awaited below
    // An answer that comes before all was sent, as of a server that wants nothing of it, ends the sending.
    await Promise.race([sendAll(request, whole, rest), answered]);
    return await answered;
  } finally {
    clearTimeout(connecting);
    request.destroy();
  }
}

/** The first piece of the body, and an iterator of what follows; undefined where that was all. */
async function ahead(body: AsyncIterable<Buffer> | Buffer): Promise<{ readonly whole: Buffer; readonly rest?: AsyncIterator<Buffer> }> {
  if (Buffer.isBuffer(body)) return { whole: body };
  const pieces: Buffer[] = [];
  const iterator = body[Symbol.asyncIterator]();
  for (let bytes = 0; bytes < AHEAD; ) {
    const { done, value } = await iterator.next();
    if (done) return { whole: Buffer.concat(pieces) };
    pieces.push(value);
    bytes += value.length;
  }
  return { whole: Buffer.concat(pieces), rest: iterator };
}

async function sendAll(request: ClientRequest, first: Buffer, rest: AsyncIterator<Buffer> | undefined): Promise<void> {
  const failed = new Promise<never>((_, reject) => request.once('error', reject));
  failed.catch(() => {}); // told by who waits for the answer
  const write = (bytes: Buffer) =>
    bytes.length === 0 || request.write(bytes) ? undefined : Promise.race([new Promise<void>((resolve) => request.once('drain', resolve)), failed]);
  try {
    await write(first);
    for (let next = await rest?.next(); next && !next.done; next = await rest!.next()) {
      if (request.destroyed) return;
      await write(next.value);
    }
    request.end();
  } catch (error) {
    request.destroy(error as Error);
    throw error;
  } finally {
    await rest?.return?.();
  }
}

function answerOf(request: ClientRequest): Promise<Answered> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('close', () => reject(new Error('the connection ended without an answer')));
    request.once('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MOST_ANSWERED) request.destroy(new Error(`the answer has more than ${MOST_ANSWERED} bytes`));
        else chunks.push(chunk);
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
  });
}

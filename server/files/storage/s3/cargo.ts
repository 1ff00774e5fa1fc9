/** Lets the SDK make a request, with its addresses, credentials, signature and retries, whose body does not pass through it. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Landing, Wire } from './wire';

/** What a request carries past the SDK. */
export interface Cargo {
  /** Body of the request. */
  readonly body?: readonly Buffer[];
  /** Where the body of the answer goes. Each try begins anew: `landing` is asked for with every one. */
  readonly landing?: () => Landing;
  /** Set by the request: fulfilled when the body has landed. */
  landed?: Promise<void>;
}

interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Record<string, string>;
}

interface SendOptions {
  readonly abortSignal?: AbortSignal;
  readonly cargo?: Cargo;
}

/** Options for `client.send`. */
export function carrying(cargo: Cargo, abortSignal?: AbortSignal): { readonly abortSignal?: AbortSignal } {
  const options: SendOptions = { abortSignal, cargo };
  return options;
}

/** The client sends what has a cargo over the wire, and all else as before. */
export function carryCargo(client: S3Client, wire: Wire): void {
  const plain = client.config.requestHandler;
  const handle: typeof plain.handle = (request, options) => {
    const { cargo, abortSignal } = (options ?? {}) as SendOptions;
    return cargo ? send(wire, request as SdkRequest, cargo, abortSignal) : plain.handle(request, options);
  };
  const destroy = () => {
    wire.close();
    plain.destroy?.();
  };
  client.config.requestHandler = Object.assign(Object.create(plain), { handle, destroy });
}

/** Signs the request with that for its body, which the SDK does not see. */
export function signedFor<C extends { readonly middlewareStack: object }>(command: C, hash: string): C {
  const stack = command.middlewareStack as S3Client['middlewareStack'];
  stack.add(
    (next) => (args) => {
      (args.request as SdkRequest).headers['x-amz-content-sha256'] = hash;
      return next(args);
    },
    { step: 'build', name: 'hashOfBody' },
  );
  return command;
}

async function send(wire: Wire, { protocol, hostname, port, method, path, query, headers }: SdkRequest, cargo: Cargo, signal?: AbortSignal) {
  const isSecure = protocol === 'https:';
  const answer = await wire.send({
    isSecure,
    host: hostname,
    port: port ?? (isSecure ? 443 : 80),
    method,
    target: path + queryOf(query),
    headers,
    body: cargo.body ?? [],
    landing: cargo.landing?.(),
    signal,
  });
  cargo.landed = answer.landed;
  return { response: { statusCode: answer.status, headers: answer.headers, body: Readable.from(answer.body.length > 0 ? [answer.body] : []) } };
}

function queryOf(query: SdkRequest['query'] = {}): string {
  const escaped = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === null
      ? [escaped(name)]
      : typeof value === 'string'
        ? [`${escaped(name)}=${escaped(value)}`]
        : value.map((one) => `${escaped(name)}=${escaped(one)}`),
  );
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

/** As S3 wants it: in base64. */
export function crc32Of(body: readonly Buffer[]): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(body.reduce((so, piece) => crc32(piece, so), 0));
  return sum.toString('base64');
}

/** What stands for the body in a signature: its hash, or that TLS (or a machine's own loopback) keeps it from being changed on its way. */
export function payloadHash(body: readonly Buffer[], isSafe: boolean): string {
  if (isSafe) return 'UNSIGNED-PAYLOAD';
  const hash = createHash('sha256');
  for (const piece of body) hash.update(piece);
  return hash.digest('hex');
}

/** ClientHellos that no TLS library offers any more, written out (RFC 5246 section 7.4.1.2), and what a server says to them. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';

/** `offered`: the server answered with a ServerHello. `refused`: with an alert, or by closing. */
export type Answer = 'offered' | 'refused';

export interface Hello {
  /** 0x0301 is TLS 1.0, 0x0302 1.1, 0x0303 1.2. */
  readonly version: number;
  readonly suites: readonly number[];
}

const HANDSHAKE_RECORD = 22;
const SERVER_HELLO = 2;
/** Named curves P-256 and P-384, uncompressed points, signatures up from SHA-1; enough for any server of those years. */
const extensions = Buffer.from('000a0006000400170018000b00020100000d000e000c040104030501050302010203', 'hex');

export function clientHello({ version, suites }: Hello): Buffer {
  const list = Buffer.alloc(2 + 2 * suites.length);
  list.writeUInt16BE(2 * suites.length);
  suites.forEach((suite, index) => {
    list.writeUInt16BE(suite, 2 + 2 * index);
  });
  const body = Buffer.concat([uint16(version), randomBytes(32), Buffer.from([0]), list, Buffer.from([1, 0]), uint16(extensions.length), extensions]);
  const message = Buffer.concat([Buffer.from([1, 0]), uint16(body.length), body]);
  return Buffer.concat([Buffer.from([HANDSHAKE_RECORD, 3, 1]), uint16(message.length), message]);
}

/** Sends it and reads the first bytes of the answer: record header (5) and the type of the handshake message. */
export function answerTo(hello: Hello, socket: Socket, timeout: number): Promise<Answer> {
  return new Promise((resolve) => {
    let got = Buffer.alloc(0);
    const settle = (answer: Answer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => settle('refused'), timeout);
    socket.removeAllListeners();
    socket
      .on('error', () => settle('refused'))
      .on('close', () => settle('refused'))
      .on('data', (chunk: Buffer) => {
        got = Buffer.concat([got, chunk]);
        if (got.length >= 6) settle(got[0] === HANDSHAKE_RECORD && got[5] === SERVER_HELLO ? 'offered' : 'refused');
      });
    socket.write(clientHello(hello));
  });
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

const cbc = [0xc013, 0xc014, 0xc009, 0xc00a, 0x002f, 0x0035, 0x000a];
/** What nobody should be offered any more (RFC 8996, RFC 7465, RFC 9325). */
export const outdated: readonly { readonly name: string; readonly hello: Hello }[] = [
  { name: 'TLS 1.0', hello: { version: 0x0301, suites: cbc } },
  { name: 'TLS 1.1', hello: { version: 0x0302, suites: cbc } },
  { name: 'RC4 ciphers', hello: { version: 0x0303, suites: [0x0004, 0x0005, 0xc011, 0xc007] } },
  { name: '3DES ciphers', hello: { version: 0x0303, suites: [0x000a, 0xc012, 0xc008, 0x0016] } },
  { name: 'ciphers without encryption', hello: { version: 0x0303, suites: [0x0001, 0x0002, 0x003b, 0xc006, 0xc010] } },
  { name: 'anonymous ciphers', hello: { version: 0x0303, suites: [0x0034, 0x003a, 0x006c, 0x00a6, 0xc018, 0xc019] } },
];
/** Not broken, but without forward secrecy or with a weaker mode. */
export const weaker: typeof outdated = [{ name: 'RSA key exchange', hello: { version: 0x0303, suites: [0x009c, 0x009d, 0x003c, 0x003d, 0x002f, 0x0035] } }];

/**
 * Terrapin (CVE-2023-48795): somebody between client and server puts a packet in while nothing is encrypted yet, takes one out afterwards, and both
 * ends count the same. Strict key exchange ends that; a client that does not know it must lose nothing but its connection.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { Client } from 'ssh2';
import { WireWriter } from '../../../server/ssh/wire';
import { USER } from '../support/served';
import { type SshServed, sshServed, told } from './served';

const { KexInit } = require('ssh2/lib/protocol/kex.js') as { readonly KexInit: new (lists: object) => object };

const KEXINIT = 20;
const NEWKEYS = 21;

let served: SshServed;
beforeAll(async () => {
  served = await sshServed();
});
afterAll(() => served?.stop());

/** What the one between does to the packets of one side: answers what goes on in place of each. `type` is known as long as nothing is encrypted. */
type Meddling = (packet: Buffer, at: { readonly type?: number; readonly encrypted?: number }) => readonly Buffer[];

const untouched: Meddling = (packet) => [packet];
/** A packet that says nothing, as it looks before there are keys. */
const IGNORE = new WireWriter().uint32(12).byte(6).byte(2).uint32(0).raw(Buffer.alloc(6)).done();

/** Cuts what one side sends into packets. `tag`: what follows an encrypted packet, whose length is not encrypted. */
function cutter(meddle: Meddling, tag: number): (bytes: Buffer) => Buffer {
  let held = Buffer.alloc(0);
  let state: 'identification' | 'plain' | 'encrypted' = 'identification';
  let count = 0;
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    const out: Buffer[] = [];
    for (;;) {
      if (state === 'identification') {
        const end = held.indexOf('\n') + 1;
        if (end === 0) break;
        out.push(held.subarray(0, end));
        held = held.subarray(end);
        state = 'plain';
        continue;
      }
      if (held.length < 6) break;
      const length = 4 + held.readUInt32BE(0) + (state === 'plain' ? 0 : tag);
      if (held.length < length) break;
      const packet = held.subarray(0, length);
      held = held.subarray(length);
      if (state === 'encrypted') {
        out.push(...meddle(packet, { encrypted: count }));
        count += 1;
      } else {
        const type = packet[5]!;
        out.push(...meddle(packet, { type }));
        if (type === NEWKEYS) state = 'encrypted';
      }
    }
    return Buffer.concat(out);
  };
}

async function between(fromClient: Meddling, fromServer: Meddling, tag: number): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((left) => {
    const right = connect({ host: '127.0.0.1', port: served.place.port });
    const [toRight, toLeft] = [cutter(fromClient, tag), cutter(fromServer, tag)];
    left.on('data', (bytes) => right.write(toRight(bytes as Buffer)));
    right.on('data', (bytes) => left.write(toLeft(bytes as Buffer)));
    for (const [one, other] of [
      [left, right],
      [right, left],
    ] as const)
      one.on('error', () => {}).on('close', () => other.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

const ciphers = {
  'aes256-gcm@openssh.com': { tag: 16, mac: 'hmac-sha2-256-etm@openssh.com' },
  'aes256-ctr': { tag: 32, mac: 'hmac-sha2-256-etm@openssh.com' },
};

/** Logs in by way of the one between. Answers how that went. */
async function logIn(cipher: keyof typeof ciphers, strict: boolean, fromClient: Meddling, fromServer: Meddling = untouched): Promise<'in' | 'out'> {
  const { tag, mac } = ciphers[cipher];
  const { port, server } = await between(fromClient, fromServer, tag);
  const client = new Client();
  client.on('error', () => {});
  client.connect({
    host: '127.0.0.1',
    port,
    username: USER,
    privateKey: readFileSync(served.place.key),
    // Where a packet is missing, nobody may have anything to say any more.
    readyTimeout: fromClient === untouched && fromServer === untouched ? 60_000 : 3_000,
    algorithms: { cipher: [cipher], hmac: [mac as 'hmac-sha2-256-etm@openssh.com'] },
  });
  const one = { cipher: [cipher], mac: [mac], compress: ['none'], lang: [] };
  if (!strict) {
    // As a client of before 2024: it neither says that it knows it nor looks whether the server does.
    const protocol = (client as unknown as { _protocol: { _offer: object; _strictMode: boolean | undefined } })._protocol;
    protocol._offer = new KexInit({ kex: ['curve25519-sha256', 'ext-info-c'], serverHostKey: ['ssh-ed25519'], cs: one, sc: one });
    protocol._strictMode = false;
  }
  const outcome = await new Promise<'in' | 'out'>((resolve) => client.once('ready', () => resolve('in')).once('close', () => resolve('out')));
  client.destroy();
  server.close();
  return outcome;
}

/** Puts a packet in before the keys and takes the first one behind them out. */
const terrapin: Meddling = (packet, { type, encrypted }) => (type === NEWKEYS ? [IGNORE, packet] : encrypted === 0 ? [] : [packet]);
const added: Meddling = (packet, { type }) => (type === NEWKEYS ? [IGNORE, packet] : [packet]);
const removed: Meddling = (packet, { encrypted }) => (encrypted === 0 ? [] : [packet]);
/** Says for one of them that it knows no strict key exchange. */
const weakened: Meddling = (packet, { type }) =>
  type === KEXINIT ? [Buffer.from(packet.toString('latin1').replace(/kex-strict-([cs])/, 'kex-strikt-$1'), 'latin1')] : [packet];

/** Whether the last two to agree on keys did so strictly, as the audit has it. */
const wasStrict = () =>
  !served.server
    .audit()
    .findLast((line) => line.message.startsWith('SSH: '))!
    .message.includes('without strict key exchange');

describe.each(Object.keys(ciphers) as (keyof typeof ciphers)[])('%s', (cipher) => {
  it.each([true, false])('untouched, a client gets in, whether it knows strict key exchange (%s) or not', async (strict) => {
    expect(await logIn(cipher, strict, untouched)).toBe('in');
    await told(() => wasStrict() === strict);
  });

  it('with strict key exchange a packet put in, taken out, or both, ends the connection, on either way', async () => {
    for (const meddling of [terrapin, added, removed, weakened]) {
      expect(await logIn(cipher, true, meddling)).toBe('out');
      expect(await logIn(cipher, true, untouched, meddling)).toBe('out');
    }
  });

  it('without it, what is taken out is missed all the same: these ciphers do not go on behind a gap', async () => {
    for (const meddling of [terrapin, removed]) {
      expect(await logIn(cipher, false, meddling)).toBe('out');
      expect(await logIn(cipher, false, untouched, meddling)).toBe('out');
    }
  });
});

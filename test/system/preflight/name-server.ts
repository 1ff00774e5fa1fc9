/** A server of the DNS on loopback that answers for NS and CAA what it is told, and that there is nothing for all else (RFC 1035, RFC 8659). */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

const TYPES = { NS: 2, CAA: 257 } as const;

export interface NameServer {
  /** As `address:port`. */
  readonly address: string;
  /** By `TYPE name`: names of servers, or CAA records as `tag value`. */
  readonly records: Map<string, readonly string[]>;
  close(): void;
}

export async function nameServer(): Promise<NameServer> {
  const records = new Map<string, readonly string[]>();
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => socket.send(answerTo(query, records), port, address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { address: `127.0.0.1:${(socket.address() as AddressInfo).port}`, records, close: () => socket.close() };
}

function answerTo(query: Buffer, records: ReadonlyMap<string, readonly string[]>): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(12, at + 5);
  const word = Object.entries(TYPES).find(([, number]) => number === type)?.[0];
  const found = records.get(`${word} ${labels.join('.').toLowerCase()}`) ?? [];
  const answers = found.map((one) => {
    const data = type === TYPES.NS ? nameOf(one) : authorityOf(one);
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0xc00c, 0); // the name of the question
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(60, 6);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  });
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, question, ...answers]);
}

const nameOf = (name: string) => Buffer.concat([...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])]);

function authorityOf(record: string): Buffer {
  const [tag = '', ...value] = record.split(' ');
  return Buffer.concat([Buffer.from([0, tag.length]), Buffer.from(tag), Buffer.from(value.join(' '))]);
}

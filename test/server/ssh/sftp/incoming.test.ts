import { randomBytes } from 'node:crypto';
import { IncomingPackets, LONGEST_PACKET } from '../../../../server/ssh/sftp/incoming';
import { MalformedPacket } from '../../../../server/ssh/wire';

const framed = (packet: Buffer) => Buffer.concat([Buffer.from([packet.length >>> 24, packet.length >>> 16, packet.length >>> 8, packet.length]), packet]);

/** What comes out of it, each packet looked at before the next is asked for. */
function all(incoming: IncomingPackets): Buffer[] {
  const packets: Buffer[] = [];
  for (let packet = incoming.next(); packet; packet = incoming.next()) packets.push(Buffer.from(packet));
  return packets;
}

const sizes = [1, 5, 30, 1_019, 1_020, 1_021, 4_000, 9_000, 16_379, 16_380, 16_381, 32_768, LONGEST_PACKET, 7, 2, 70_000, 1];

test.each([1, 3, 100, 16_384, 32_768, 1_000_000])('packets come out as they went in, in pieces of %d bytes', (size) => {
  const packets = (size === 1 ? sizes.filter((one) => one < 20_000) : sizes).map((length) => randomBytes(length));
  const stream = Buffer.concat(packets.map(framed));
  const incoming = new IncomingPackets();
  const got: Buffer[] = [];
  for (let at = 0; at < stream.length; at += size) {
    const piece = Buffer.from(stream.subarray(at, at + size));
    incoming.add(piece);
    piece.fill(0); // it copies
    // Some are asked for late.
    if (at % (3 * size) === 0) got.push(...all(incoming));
  }
  got.push(...all(incoming));
  expect(got.map((packet) => packet.length)).toEqual(packets.map((packet) => packet.length));
  expect(Buffer.concat(got).equals(Buffer.concat(packets))).toBe(true);
});

test('a packet stays as it is while more comes', () => {
  const incoming = new IncomingPackets();
  incoming.add(framed(Buffer.from('first')));
  const packet = incoming.next()!;
  incoming.add(framed(randomBytes(100_000)));
  incoming.add(framed(Buffer.from('third')));
  expect(packet.toString()).toBe('first');
  expect(incoming.next()).toHaveLength(100_000);
  expect(incoming.next()!.toString()).toBe('third');
  expect(incoming.next()).toBeUndefined();
});

test.each([0, LONGEST_PACKET + 1, 0xffff_ffff])('a packet of %d bytes is none; what came before it is', (length) => {
  const incoming = new IncomingPackets();
  const bad = Buffer.alloc(8);
  bad.writeUInt32BE(length);
  incoming.add(Buffer.concat([framed(Buffer.from('good')), bad]));
  expect(incoming.next()!.toString()).toBe('good');
  expect(() => incoming.next()).toThrow(MalformedPacket);
});

test('thousands of small packets take little more than their bytes', () => {
  const incoming = new IncomingPackets();
  const stream = Buffer.concat(Array.from({ length: 200_000 }, () => framed(Buffer.from('12345'))));
  const { arrayBuffers } = process.memoryUsage();
  incoming.add(stream);
  expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(1.1 * stream.length);
  expect(all(incoming)).toHaveLength(200_000);
});

/** What a fuzzer sends: commands that are nearly right, their arguments, and bytes that are not right at all. */
import { commandTable } from '../../../server/ftps/control/commands';
import type { Random } from './random';

const names = [
  ...commandTable.all.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
  'SMNT',
  'XCRC',
  'LPRT',
  'ADAT',
  'GET',
  'X',
  '',
  ' ',
  'USER\tdemo',
  'retr',
  'Stor',
];

const words = [
  '',
  '/',
  '.',
  '..',
  '../../../../etc/passwd',
  '/../../etc/shadow',
  'a',
  'b/c',
  'a b  c',
  ' leading',
  'trailing ',
  '-la',
  '-a -l',
  '*',
  '**/*[',
  '[!a-z]?*',
  '*a*a*a*a*a*a*a*a*b',
  'é',
  'e\u0301',
  '𝒳',
  '\u202eexe.txt',
  'x'.repeat(255),
  'x'.repeat(256),
  'd/'.repeat(2_000),
  `${'../'.repeat(500)}etc/passwd`,
  '.ftps-staging',
  '.ftps-staging/x',
  '%s%n%x',
  '$(id)',
  '`id`',
  '"quoted"',
  '"',
  "'",
  '\\',
  'con',
  'file\u0001name',
  '0',
  '-1',
  '1',
  '4096',
  '999999999999999',
  '9999999999999999999999',
  '1e9',
  '0x10',
  'NaN',
  '127,0,0,1,200,200',
  '0,0,0,0,0,0',
  '1,2,3,4,5',
  '256,256,256,256,256,256',
  '|1|127.0.0.1|50000|',
  '|2|::1|50000|',
  '|3|x|y|',
  '||||',
  '!1!127.0.0.1!1!',
  'ALL',
  '1',
  '2',
  'TLS',
  'TLS-P',
  'SSL',
  'P',
  'C',
  'S',
  'A N',
  'L 8',
  'E',
  'UTF8 ON',
  'MLST type;size;',
  'HASH SHA-512',
  'HASH MD5',
  'MLST',
  'HELP',
  'WHO',
  'CHMOD 777 a',
  '20260101000000 a',
  '99999999999999 a',
  '20260101000000.123 a',
  'demo',
  'anonymous',
  'ftp.example.com',
  '[::1]',
  'en-US',
];

/** IAC IP, IAC DM, doubled IAC, negotiation, and an IAC that nothing follows. */
const telnet = [[255, 244], [255, 242], [255, 255], [255, 251, 1], [255], [242]].map((bytes) => Buffer.from(bytes));

/** One command line with its end: right in form, or nearly so. */
function commandLine(random: Random): Buffer {
  const name = random.pick(names);
  const argument = random.chance(3) ? '' : random.pick(words);
  const line = argument === '' && random.chance(2) ? name : `${name} ${argument}`;
  const end = random.chance(20) ? random.pick(['\n', '\r', '', '\r\r\n', '\0\r\n', ' \r\n']) : '\r\n';
  return Buffer.from(line + end);
}

/** Changes some bytes, as a broken client, a bad line or an attacker would. */
export function mutated(random: Random, input: Buffer): Buffer {
  let bytes = Buffer.from(input);
  for (let count = random.between(1, 4); count > 0; count -= 1) {
    const at = bytes.length === 0 ? 0 : random.below(bytes.length);
    const piece = Buffer.from(bytes.subarray(at, at + random.between(1, 16)));
    switch (random.below(8)) {
      case 0:
        if (bytes.length > 0) bytes[at] = bytes[at]! ^ (1 << random.below(8));
        break;
      case 1:
        if (bytes.length > 0) bytes[at] = random.pick([0, 10, 13, 32, 34, 127, 128, 192, 240, 242, 244, 255]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(random.between(1, 32)), bytes.subarray(at)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + piece.length)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), piece, piece, bytes.subarray(at)]);
        break;
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), random.pick(telnet), bytes.subarray(at)]);
        break;
      case 6:
        bytes = bytes.subarray(0, at);
        break;
      case 7:
        bytes = Buffer.concat([bytes, commandLine(random)]);
    }
  }
  return bytes;
}

/** One input for a control connection. */
export function controlInput(random: Random): Buffer {
  const kind = random.below(100);
  if (kind < 45) return commandLine(random);
  if (kind < 90) return mutated(random, commandLine(random));
  if (kind < 98) return random.bytes(random.between(1, 200));
  return Buffer.alloc(random.between(8_000, 9_000), 'A');
}

/** A PROXY protocol header, version 2, right or changed. */
export function proxyInput(random: Random): Buffer {
  const header = Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    Buffer.from([0x21, random.pick([0x11, 0x21, 0x00, 0x31]), 0, random.pick([12, 36, 0, 255])]),
    random.bytes(random.pick([12, 36])),
  ]);
  return random.chance(2) ? header : mutated(random, header);
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { auditCommand } from '../../bin/commands/audit';
import { Chain } from '../../server/audit/chain';
import type { ServerEvent } from '../../server/audit/event';
import { toOcsf } from '../../server/audit/ocsf';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-audit-command-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const event: ServerEvent = {
  kind: 'login',
  outcome: 'failure',
  login: '}{"messageType":"DATA_MESSAGE"} \\" "sequence":1',
  reason: 'wrong-password',
  session: 's1',
  protocol: 'ftps',
  listener: 'explicit',
  client: { address: '192.0.2.1', port: 4000 },
  server: { address: '192.0.2.2', port: 21 },
};

function lines(count: number, last: ServerEvent = { kind: 'server', change: 'stopped' }): string[] {
  const chain = new Chain();
  return Array.from({ length: count }, (_, index) =>
    chain.link(toOcsf(index === count - 1 ? last : event, { time: 1_780_000_000_000 + index, sequence: index + 1, productVersion: '1' })),
  );
}

/** What CloudWatch Logs gives to Firehose for these lines, each document compressed by itself. */
function delivered(...batches: string[][]): Buffer {
  const document = (messageType: string, messages: string[]) =>
    gzipSync(
      JSON.stringify({
        messageType,
        owner: '111122223333',
        logGroup: 'audit',
        logStream: 'i-0123456789abcdef0',
        subscriptionFilters: ['ToArchive'],
        logEvents: messages.map((message, index) => ({ id: String(index), timestamp: 1_780_000_000_000, message })),
      }),
    );
  return Buffer.concat([
    document('CONTROL_MESSAGE', ['CWL CONTROL MESSAGE: Checking health of destination Firehose.']),
    ...batches.map((batch) => document('DATA_MESSAGE', batch)),
  ]);
}

function write(name: string, content: string[] | Buffer): string {
  const file = join(folder, name);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, Buffer.isBuffer(content) ? content : `${content.join('\n')}\n`);
  return file;
}

async function verify(...args: string[]) {
  let output = '';
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += text;
    return true;
  });
  const before = process.exitCode;
  try {
    process.exitCode = undefined;
    await auditCommand().parseAsync(['verify', ...args], { from: 'user' });
    return { output, exitCode: process.exitCode };
  } finally {
    spy.mockRestore();
    process.exitCode = before;
  }
}

it('follows a chain from a rotated, compressed file into the next, and names the file and line of a break', async () => {
  const all = lines(30);
  const older = write('audit.json.1.gz', gzipSync(`${all.slice(0, 20).join('\n')}\n`));
  const newer = write('audit.json', all.slice(20));
  expect(await verify(older, newer)).toEqual({ output: '30 lines of 1 processes, 0 breaks\n', exitCode: undefined });
  write('audit.json', all.slice(20).with(4, all[24]!.replace('192.0.2.1', '192.0.2.7')));
  expect(await verify(older, newer)).toEqual({ output: `${newer}:5 was changed\n30 lines of 1 processes, 1 breaks\n`, exitCode: 3 });
});

it('reads the raw part of an archive, in any order and with repeated deliveries', async () => {
  const [one, two] = [lines(20), lines(20)];
  write('day=2026-05-01/b', delivered(one.slice(10), two.slice(0, 5)));
  write('day=2026-05-02/a', delivered(one.slice(0, 10), two.slice(5), two.slice(8, 12)));
  expect(await verify('--archive', folder)).toEqual({ output: '44 lines of 2 processes, 0 breaks\n4 lines were delivered twice\n', exitCode: undefined });
  const dropped = write('day=2026-05-02/a', delivered(one.slice(0, 10), [...two.slice(5, 9), ...two.slice(10)]));
  expect(await verify('--archive', folder)).toEqual({
    output: `${dropped}:15 does not follow the line before it: lines are missing or were moved\n39 lines of 2 processes, 1 breaks\n`,
    exitCode: 3,
  });
});

it('takes a part of an archive for what it is, and says which chains end without saying so', async () => {
  const all = lines(20, event);
  const file = write('audit.json', all.slice(5));
  expect((await verify(file)).exitCode).toBe(3);
  expect(JSON.parse((await verify('--part', '--json', file)).output)).toEqual({ lines: 15, chains: 1, open: 1, repeated: 0, dropped: 0, breaks: [] });
});

import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyChain } from '../../../server/audit/chain';
import type { ServerEvent } from '../../../server/audit/event';
import { readableLine } from '../../../server/audit/readable';
import { auditLine } from '../../../server/audit/schema';
import { openAudit, openTarget } from '../../../server/audit/sink';

const facts = {
  session: 's1',
  protocol: 'ftps' as const,
  listener: 'explicit' as const,
  client: { address: '192.0.2.1', port: 4000 },
  server: { address: '192.0.2.2', port: 21 },
};
const login: ServerEvent = { kind: 'login', outcome: 'failure', login: 'eve\n{"forged":true}', reason: 'wrong-password', ...facts };

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftps-audit-'));
  file = join(folder, 'audit.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function written(events: readonly ServerEvent[]): Promise<string[]> {
  const audit = openAudit(await openTarget({ destination: file, sync: false }), (error) => {
    throw error;
  });
  for (const [index, event] of events.entries()) {
    audit.record(event);
    if (index % 10_000 === 0) await audit.flush();
  }
  await audit.close();
  return (await readFile(file, 'utf8')).trimEnd().split('\n');
}

describe('the audit', () => {
  it('is one line an event, in order, each in the form of the schema', async () => {
    const lines = await written(Array.from({ length: 500 }, () => login));
    expect(lines).toHaveLength(500);
    expect(lines.map((line) => auditLine.parse(JSON.parse(line)).metadata.sequence)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
  });

  it('writes how a data connection came about together with its transfer, and soon also without one', async () => {
    const writes: string[][] = [];
    let heard = () => {};
    const target = {
      async write(text: string) {
        writes.push(
          text
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line).message),
        );
        heard();
      },
      reopen: async () => {},
      close: async () => {},
    };
    const nextWrite = () =>
      new Promise<void>((resolve) => {
        heard = resolve;
      });
    const audit = openAudit(target, () => {});
    const user = { ...facts, user: 'demo' };
    const ended = { transfer: 'upload', command: 'STOR', path: '/a', outcome: 'success', bytes: 1, offset: 0, seconds: 0, encrypted: true } as const;
    audit.record({ kind: 'passive-port', change: 'opened', port: 5_000, ...user });
    await new Promise((resolve) => setTimeout(resolve, 5));
    audit.record({ kind: 'passive-port', change: 'used', port: 5_000, ...user });
    let written = nextWrite();
    audit.record({ kind: 'transfer', ...ended, ...user });
    await written;
    expect(writes).toEqual([['Passive port 5000 opened', 'Passive port 5000 used', 'upload complete']]);
    written = nextWrite();
    audit.record({ kind: 'passive-port', change: 'opened', port: 5_001, ...user });
    await written;
    expect(writes[1]).toEqual(['Passive port 5001 opened']);
    audit.record({ kind: 'passive-port', change: 'expired', port: 5_001, ...user });
    await audit.close();
    expect(writes[2]).toEqual(['Passive port 5001 expired']);
  });

  it('can not be given a line by a client', async () => {
    const [line, ...rest] = await written([login]);
    expect(rest).toEqual([]);
    expect(JSON.parse(line!)).toMatchObject({ class_uid: 3002, status_id: 2, status_detail: 'wrong-password', user: { name: 'eve\n{"forged":true}' } });
  });

  it('goes on in a new file after a rotation', async () => {
    const audit = openAudit(await openTarget({ destination: file, sync: true }), () => {});
    audit.record(login);
    await audit.flush();
    await rename(file, `${file}.1`);
    await audit.reopen();
    audit.record(login);
    await audit.close();
    expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(1);
    const both = `${await readFile(`${file}.1`, 'utf8')}${await readFile(file, 'utf8')}`.trimEnd().split('\n');
    expect((await verifyChain(both)).breaks).toEqual([]);
  });

  it('says so once when it can not be written', async () => {
    const target = await openTarget({ destination: '/dev/full', sync: false });
    const failed = new Promise<Error>((resolve) => openAudit(target, resolve).record(login));
    expect((await failed).message).toMatch(/ENOSPC/);
    await target.close();
  });

  it('is readable', async () => {
    const [line] = await written([
      {
        kind: 'transfer',
        transfer: 'upload',
        command: 'STOR',
        path: '/a.txt',
        outcome: 'success',
        bytes: 1234,
        offset: 0,
        seconds: 0.5,
        encrypted: true,
        sha256: 'ab'.repeat(32),
        ...facts,
        user: 'demo',
      },
    ]);
    expect(readableLine(JSON.parse(line!))).toMatch(
      /192\.0\.2\.1 {2}demo {2}upload complete {2}\/a\.txt {2}1,234 bytes {2}500 ms {2}sha256 abababababababab…$/,
    );
  });
});

describe('the chain of 20,000 lines', () => {
  let lines: string[];
  beforeEach(async () => {
    lines = await written(Array.from({ length: 20_000 }, () => login));
  }, 60_000);

  it('is whole as it was written, and shows one flipped byte, one dropped line, one swapped pair', async () => {
    expect(await verifyChain(lines)).toEqual({ lines: 20_000, chains: 1, open: 1, repeated: 0, dropped: 0, breaks: [] });
    const flipped = [...lines];
    flipped[4_199] = flipped[4_199]!.replace('192.0.2.1', '192.0.2.7');
    expect((await verifyChain(flipped)).breaks).toEqual([{ line: 4_200, what: 'changed' }]);
    const dropped = lines.filter((_, index) => index !== 7_000);
    expect((await verifyChain(dropped)).breaks).toEqual([{ line: 7_001, what: 'missing-or-moved' }]);
    const swapped = [...lines];
    [swapped[9], swapped[10]] = [swapped[10]!, swapped[9]!];
    expect((await verifyChain(swapped)).breaks.map(({ what }) => what)).toContain('missing-or-moved');
    expect((await verifyChain(lines.slice(1))).breaks).toEqual([{ line: 1, what: 'beginning-missing' }]);
  }, 60_000);
});

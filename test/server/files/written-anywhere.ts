/** Files that are written in no order, beside a model of a plain file: what a storage has to bring about, whatever it is. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { AccountFiles, Writing } from '../../../server/files/account-files';
import type { TestFiles } from '../support/files';

type Act =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: number; readonly seed: number }
  | { readonly kind: 'goOn'; readonly bytes: number; readonly seed: number }
  | { readonly kind: 'truncate'; readonly size: number }
  | { readonly kind: 'read'; readonly offset: number; readonly bytes: number };

export interface Sizes {
  /** How far from the beginning anything is done. Bytes. */
  readonly far: number;
  /** The longest piece that is written or read. Bytes. */
  readonly piece: number;
  readonly runs: number;
}

const filled = (bytes: number, seed: number) =>
  Buffer.from(Array.from({ length: 256 }, (_, index) => (index * 7 + seed) % 256))
    .toString('latin1')
    .repeat(Math.ceil(bytes / 256))
    .slice(0, bytes);
const piece = (bytes: number, seed: number) => Buffer.from(filled(bytes, seed), 'latin1');

const acts = ({ far, piece: most }: Sizes) => {
  const bytes = fc.integer({ min: 1, max: most });
  const seed = fc.integer({ min: 1, max: 250 });
  const offset = fc.integer({ min: 0, max: far });
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('goOn' as const), bytes, seed }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('write' as const), offset, bytes, seed }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), size: offset }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const), offset, bytes }) },
  );
  return fc.record({
    existing: fc.constantFrom('replace' as const, 'keep' as const, 'append' as const),
    there: fc.option(bytes, { nil: undefined }),
    acts: fc.array(act, { maxLength: 12 }),
  });
};

/** A file as an operating system has it. */
class Model {
  constructor(
    public content: Buffer,
    private readonly appends: boolean,
  ) {}

  write(wanted: number, bytes: Buffer): void {
    const offset = this.appends ? this.content.length : wanted;
    this.truncate(Math.max(this.content.length, offset + bytes.length));
    bytes.copy(this.content, offset);
  }

  truncate(size: number): void {
    this.content = Buffer.concat([this.content, Buffer.alloc(Math.max(0, size - this.content.length))]).subarray(0, size);
  }
}

async function readOf(writing: Writing, offset: number, bytes: number): Promise<Buffer> {
  const reading = writing.openReading('READ');
  const into = Buffer.alloc(bytes);
  let at = 0;
  for (let got = -1; at < bytes && got !== 0; at += got) got = await reading.read(offset + at, into.subarray(at));
  await reading.close();
  return into.subarray(0, at);
}

async function contentOf(account: AccountFiles, path: string): Promise<Buffer> {
  const reading = await account.openReading('READ', path);
  const content = Buffer.alloc(reading.size);
  for (let at = 0; at < content.length; ) at += await reading.read(at, content.subarray(at));
  await reading.close();
  return content;
}

export function writtenAnywhere(files: () => TestFiles, sizes: Sizes): void {
  it('is what a plain file would be, whatever is done to it', async () => {
    const account = await files().open();
    await fc.assert(
      fc.asyncProperty(acts(sizes), async (plan) => {
        const before = plan.there === undefined ? Buffer.alloc(0) : piece(plan.there, 3);
        if (plan.there === undefined) await account.remove('DELE', '/file').catch(() => {});
        else {
          const old = await account.openWriting('/file', { command: 'OPEN', existing: 'replace' });
          await old.write(0, before);
          expect((await old.commit()).outcome).toBe('success');
        }
        const model = new Model(plan.existing === 'replace' ? Buffer.alloc(0) : before, plan.existing === 'append');
        const writing = await account.openWriting('/file', { command: 'OPEN', existing: plan.existing, read: true });
        let end = 0;
        for (const act of plan.acts) {
          if (act.kind === 'truncate') {
            await writing.truncate(act.size);
            model.truncate(act.size);
          } else if (act.kind === 'read') {
            const got = await readOf(writing, act.offset, act.bytes);
            expect(got.equals(model.content.subarray(act.offset, act.offset + act.bytes))).toBe(true);
          } else {
            const offset = act.kind === 'goOn' ? end : act.offset;
            end = offset + act.bytes;
            await writing.write(offset, piece(act.bytes, act.seed));
            model.write(offset, piece(act.bytes, act.seed));
          }
          expect(writing.size).toBe(model.content.length);
        }
        expect((await writing.commit()).outcome).toBe('success');
        const content = plan.there === undefined && plan.existing === 'keep' && plan.acts.length === 0 ? Buffer.alloc(0) : await contentOf(account, '/file');
        expect(content.length).toBe(model.content.length);
        expect(content.equals(model.content)).toBe(true);
      }),
      { numRuns: sizes.runs },
    );
  });

  it('its hash is of the whole when it was not sent in order', async () => {
    const account = await files().open();
    const writing = await account.openWriting('/hashed', { command: 'OPEN', existing: 'replace' });
    await writing.write(0, piece(300_000, 1));
    await writing.write(100, Buffer.from('changed'));
    const expected = piece(300_000, 1);
    expected.write('changed', 100);
    expect(await writing.commit()).toMatchObject({ outcome: 'success', sha256: createHash('sha256').update(expected).digest('hex') });
    expect((await contentOf(account, '/hashed')).equals(expected)).toBe(true);
  });

  it('a client that is gone, in the midst of a draft, leaves what was there', async () => {
    const account = await files().open();
    const old = await account.openWriting('/stays', { command: 'OPEN', existing: 'replace' });
    await old.write(0, Buffer.from('as it was'));
    await old.commit();
    const writing = await account.openWriting('/stays', { command: 'OPEN', existing: 'keep' });
    await writing.write(3, Buffer.from('xxx'));
    await writing.write(0, Buffer.from('yyy'));
    expect(await writing.abort()).toMatchObject({ outcome: 'aborted' });
    expect((await contentOf(account, '/stays')).toString()).toBe('as it was');
  });

  it('takes no more than the quota, holes included, and gives back what came to nothing', async () => {
    const account = await files().open({ user: 'small', home: '/small', quota: { bytes: 1_000_000 } });
    for (const act of [
      (writing: Writing) => writing.write(1_000_000, Buffer.from('x')),
      (writing: Writing) => writing.truncate(1_000_001),
      async (writing: Writing) => {
        await writing.write(0, piece(900_000, 1));
        await writing.write(0, piece(10, 2));
        await writing.write(900_000, piece(100_001, 3));
      },
    ]) {
      const writing = await account.openWriting('/file', { command: 'OPEN', existing: 'replace' });
      await act(writing).catch(() => {});
      expect(await writing.commit()).toMatchObject({ outcome: 'failure', reason: expect.stringMatching(/quota/) });
    }
    const writing = await account.openWriting('/file', { command: 'OPEN', existing: 'replace' });
    await writing.write(500_000, piece(500_000, 1));
    await writing.write(0, piece(500_000, 2));
    await writing.write(5, piece(5, 3));
    expect(await writing.commit()).toMatchObject({ outcome: 'success' });
    expect(await account.available()).toBe(0);
  });
}

import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { localStorage } from '../../../../server/files/storage/local/storage';
import { Retention } from '../../../../server/files/storage/retention';
import type { Account } from '../../../../server/identity/identity';
import { AuditRecorder, testServer } from '../../support/server';
import { names, write } from './conformance';

const DAY_MS = 86_400_000;
const past = new Date(Date.now() - 31 * DAY_MS);

describe('retention', () => {
  it('deletes what is older than the account’s days, at any depth, says so in the audit, and leaves the rest and other accounts alone', async () => {
    const server = await testServer({}, [
      { user: 'demo', home: '/demo' },
      { user: 'short', home: '/demo', retentionDays: 30 },
      { user: 'other', home: '/other' },
    ]);
    try {
      const [client, other] = [await server.client(), await server.client('explicit', {}, 'other')];
      await client.ensureDir('deep/inner');
      await client.cd('/');
      for (const path of ['old', 'young', 'deep/inner/old', 'deep/inner/young']) await client.uploadFrom(Readable.from('x'), path);
      await other.uploadFrom(Readable.from('x'), 'old');
      for (const path of ['demo/old', 'demo/deep/inner/old', 'other/old']) await utimes(join(server.files, path), past, past);
      const short = await server.client('explicit', {}, 'short');
      await server.audit.next('retention', ({ path }) => path === '/old');
      await server.audit.next('retention', ({ path }) => path === '/deep/inner/old');
      const inFolder = async (path: string) => (await short.list(path)).map(({ name }) => name).sort();
      expect(await inFolder('/')).toEqual(['deep', 'young']);
      expect(await inFolder('/deep/inner')).toEqual(['young']);
      expect((await other.list()).map(({ name }) => name)).toEqual(['old']);
      expect(server.audit.of('retention')).toHaveLength(2);
      expect(server.audit.of('retention')[0]).toMatchObject({ user: 'short', home: '/demo', bytes: 1 });
    } finally {
      await server.close();
    }
  });

  describe('of accounts that do not log in', () => {
    let root: string;
    let audit: AuditRecorder;
    /** What the source says of an account; a rejection where it is down. */
    let source: Record<string, Partial<Account> | 'none' | 'unknown' | Error>;
    const rulesOf = async (user: string) => {
      const answer = source[user] ?? 'none';
      if (answer instanceof Error) throw answer;
      return answer as Account | 'none' | 'unknown';
    };
    const storage = () => localStorage({ kind: 'local', root, fsync: false });

    beforeEach(async () => {
      root = await mkdtemp(join(tmpdir(), 'ftps-retention-'));
      audit = new AuditRecorder();
      // Another process, and a start before: each logs in once, and goes.
      const earlier = storage();
      const retention = new Retention({ storage: earlier, identity: { rulesOf }, audit, cleans: false });
      for (const user of ['kept', 'raised', 'lowered', 'freed', 'gone', 'silent', 'unseen']) {
        const volume = await retention.watching().open({ user, home: `/${user}`, retentionDays: user === 'lowered' ? 365 : 30 });
        await retention.settled();
        await write(volume, '/young', 'x');
        await write(volume, '/old', 'x');
        await utimes(join(root, user, 'old'), past, past);
      }
      await retention.close();
      await earlier.close();
    });
    afterEach(() => rm(root, { recursive: true, force: true }));

    /** A start of the server, until it has gone through all homes once. */
    async function start(cleans = true): Promise<void> {
      const opened = storage();
      const retention = new Retention({ storage: opened, identity: { rulesOf }, audit, cleans });
      retention.start();
      await retention.settled();
      await retention.close();
      await opened.close();
    }
    const inHome = async (user: string) => names(await storage().open({ user, home: `/${user}` }));

    it('goes by what the source says at the time, and by the last login where it says nothing', async () => {
      source = {
        kept: { home: '/kept', retentionDays: 30 },
        raised: { home: '/raised', retentionDays: 365 },
        lowered: { home: '/lowered', retentionDays: 30 },
        freed: { home: '/freed' },
        gone: 'none',
        silent: 'unknown',
        unseen: new Error('the directory is down'),
      };
      await start();
      const left = Object.fromEntries(await Promise.all(Object.keys(source).map(async (user) => [user, (await inHome(user)).join(' ')])));
      expect(left).toEqual({
        kept: 'young',
        raised: 'old young',
        lowered: 'young',
        freed: 'old young',
        gone: 'young',
        silent: 'young',
        unseen: 'old young', // looked at again when its source answers
      });
      expect(
        audit
          .of('retention')
          .map(({ user }) => user)
          .sort(),
      ).toEqual(['gone', 'kept', 'lowered', 'silent']);
      expect(audit.of('health')).toMatchObject([{ part: 'storage', state: 'down', detail: 'retention of /unseen: the directory is down' }]);
      const noted: string[] = [];
      for await (const { user } of storage().retained.all()) noted.push(user);
      expect(noted.sort()).toEqual(['gone', 'kept', 'lowered', 'raised', 'silent', 'unseen']);
    });

    it('is one process’s work, and no note that is broken stops it', async () => {
      source = { kept: { home: '/kept', retentionDays: 30 } };
      await start(false);
      expect(await inHome('kept')).toEqual(['old', 'young']);
      await writeFile(join(root, '.ftps-retention', `${'0'.repeat(40)}.json`), '{"user":');
      await start();
      expect(await inHome('kept')).toEqual(['young']);
    });

    it('can not be seen or named by a client whose home is the root', async () => {
      const volume = await storage().open({ user: 'root', home: '/' });
      expect((await names(volume)).filter((name) => name.startsWith('.'))).toEqual([]);
    });
  });
});

/** An account's files on a disk, as a protocol has them, without a protocol. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkServerConfig, type ServerConfigInput } from '../../../server/config';
import type { AccountFiles } from '../../../server/files/account-files';
import type { Scanner } from '../../../server/files/antivirus/scanner';
import { FairTurns } from '../../../server/files/fair-turns';
import { Files } from '../../../server/files/files';
import { Releases } from '../../../server/files/release/releases';
import { openStorage } from '../../../server/files/storage/open';
import type { Storage } from '../../../server/files/storage/storage';
import { TransferLoad } from '../../../server/files/transfer-load';
import type { Account } from '../../../server/identity/identity';
import { LocalBandwidth } from '../../../server/limits/bandwidth';
import { OwnBusyness } from '../../../server/limits/busyness';
import { AuditRecorder } from './server';

export interface TestFiles {
  /** Where the files lie. */
  readonly folder: string;
  readonly audit: AuditRecorder;
  /** As a session of that account's has them. */
  open(rules?: Partial<Account>): Promise<AccountFiles>;
  close(): Promise<void>;
}

interface TestFilesOptions extends Partial<Omit<ServerConfigInput, 'storage'>> {
  readonly scanner?: Scanner;
  /** Closed with the files. By default a disk. */
  readonly storage?: Storage;
}

export async function testFiles({ scanner, storage: given, ...overrides }: TestFilesOptions = {}): Promise<TestFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'ftps-files-'));
  const config = checkServerConfig({
    listeners: [{ mode: 'explicit', port: 0 }],
    tls: { certificates: [{ kind: 'file', certificate: '/server.pem', key: '/server.key' }] },
    storage: { kind: 'local', root: folder, fsync: false },
    identity: [{ kind: 'file', file: '/accounts.json' }],
    ...overrides,
  });
  const audit = new AuditRecorder();
  const storage = given ?? openStorage(config);
  const releases = await Releases.open(config.afterRelease, { audit, storage, place: { index: 0, count: 1 } });
  const bandwidth = new LocalBandwidth(config.limits.bandwidth);
  const load = new TransferLoad(new OwnBusyness());
  const turns = { hashing: new FairTurns(1), drafts: new FairTurns(1), trees: new FairTurns(1) };
  const files = new Files({ config, audit, storage, scanner, releases, bandwidth, load, ...turns, isDoomed: () => audit.failed });
  const address = { address: '127.0.0.1', port: 1 };
  return {
    folder,
    audit,
    open: (rules = {}) => {
      const account = { user: 'demo', home: '/', permissions: ['read', 'write', 'list', 'delete', 'rename', 'mkdir'], ...rules } as Account;
      const facts = { session: 's1', protocol: 'ftps', listener: 'explicit', client: address, server: address, user: account.user } as const;
      return files.open({ account, facts, doneCode: 250 });
    },
    async close() {
      await releases.close();
      await storage.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

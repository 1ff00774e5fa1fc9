/** Passwords checked as the server checks them: in threads, of which it takes one. */
import { checkServerConfig } from '../../../server/config';
import type { PasswordChecks } from '../../../server/identity/hashing/checks';
import { HashPool } from '../../../server/identity/hashing/pool';
import { sharedThreads } from './hash-threads';

/** Settings of a server that is never started. */
export function someConfig(overrides: object = {}) {
  return checkServerConfig({
    listeners: [{ mode: 'implicit', port: 0 }],
    tls: { certificates: [{ kind: 'file', certificate: 'c', key: 'k' }] },
    storage: { kind: 'local', root: '/' },
    identity: [{ kind: 'file', file: 'a' }],
    passwords: { hashThreads: 1 },
    ...overrides,
  });
}

/** For one file of tests, whose end closes it. */
export function passwordChecks(): PasswordChecks {
  const pool = new HashPool(someConfig(), { threads: sharedThreads(1) });
  afterAll(() => pool.close());
  return pool;
}

/** Whether the password belongs to the hash. */
export async function verifyPassword(password: string, phc: string): Promise<boolean> {
  const pool = new HashPool(someConfig(), { threads: sharedThreads(1) });
  try {
    return (await pool.check({ password, phc, address: '', isKnown: false })) === 'right';
  } finally {
    await pool.close();
  }
}

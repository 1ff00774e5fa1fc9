import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { checkServerConfig } from '../../../server/config';
import { LocalLimits } from '../../../server/limits/local-limits';
import { LockoutTable } from '../../../server/limits/lockout-table';
import { SharedLockouts } from '../../../server/limits/shared-lockouts';
import { AuditRecorder } from '../support/server';

const { limits } = checkServerConfig({
  listeners: [{ mode: 'implicit', port: 0 }],
  tls: { certificates: [{ kind: 'file', certificate: 'c', key: 'k' }] },
  storage: { kind: 'local', root: '/' },
  identity: [{ kind: 'file', file: 'a' }],
  limits: { lockout: { failuresPerAccount: 2, failuresPerAddress: 3, firstSeconds: 30 } },
});

/** A table in memory that can be switched off. */
function table() {
  const failures = new Map<string, number>();
  const locked = new Set<string>();
  let asked = 0;
  const answer = <T>(value: T) => {
    asked += 1;
    return state.works ? Promise.resolve(value) : Promise.reject(new Error('no route'));
  };
  const state = {
    works: true,
    locked,
    get asked() {
      return asked;
    },
    isLocked: (key: string) => answer(locked.has(key)),
    fail(key: string, most: number) {
      failures.set(key, (failures.get(key) ?? 0) + 1);
      if (failures.get(key)! < most) return answer(0);
      locked.add(key);
      return answer(60);
    },
    forgive: (key: string, count: number) => {
      failures.set(key, Math.max(0, (failures.get(key) ?? 0) - count));
      return answer(undefined);
    },
    succeed: (key: string, count: number) => {
      void state.forgive(key, count);
      return answer(!locked.has(key));
    },
  };
  return state;
}

function instance(shared: ReturnType<typeof table>, clock: () => number = Date.now) {
  const audit = new AuditRecorder();
  return { audit, limits: new SharedLockouts(new LocalLimits(limits, clock), shared, limits.lockout, audit, clock) };
}

it('a lock-out on one instance holds on every other', async () => {
  const shared = table();
  const [one, other] = [instance(shared), instance(shared)];
  expect(await one.limits.loginFailed('192.0.2.1', 'ann')).toEqual([]);
  expect(await other.limits.loginFailed('192.0.2.2', 'ann')).toEqual([{ scope: 'account', seconds: 60 }]);
  for (const { limits: both } of [one, other]) expect(await both.beginLogin('192.0.2.3', 'ann')).toBe('locked-out');
  expect(await one.limits.beginLogin('192.0.2.3', 'bob')).toBe('stranger');
});

it('an address of one IPv6 network is counted as one', async () => {
  const shared = table();
  const { limits: one } = instance(shared);
  for (const [index, login] of ['a', 'b', 'c'].entries()) await one.loginFailed(`2001:db8::${index + 1}`, login);
  expect(await one.beginLogin('2001:db8::99', 'd')).toBe('locked-out');
});

it('a password that turns out right after another instance has locked the account lets nobody in', async () => {
  const shared = table();
  const [one, other] = [instance(shared), instance(shared)];
  expect(await one.limits.beginLogin('192.0.2.1', 'ann')).toBe('stranger');
  for (let count = 0; count < 2; count += 1) await other.limits.loginFailed('192.0.2.2', 'ann');
  expect(await one.limits.loginSucceeded('192.0.2.1', 'ann', true)).toBe(false);
});

it('without the table, each instance locks out by itself, logins do not wait, and the audit says so once', async () => {
  let time = 0;
  const shared = table();
  const { audit, limits: one } = instance(shared, () => time);
  shared.works = false;
  expect(await one.loginFailed('192.0.2.1', 'ann')).toEqual([]);
  const asked = shared.asked;
  expect(await one.loginFailed('192.0.2.1', 'ann')).toEqual([{ scope: 'account', seconds: 30 }]);
  expect(await one.beginLogin('192.0.2.9', 'ann')).toBe('locked-out');
  expect(shared.asked).toBe(asked);
  expect(audit.of('health')).toMatchObject([{ part: 'lockouts', state: 'down' }]);
  shared.works = true;
  time = 6_000;
  expect(await one.beginLogin('192.0.2.9', 'bob')).toBe('stranger');
  expect(audit.of('health')).toMatchObject([{ state: 'down' }, { state: 'up' }]);
});

describe('the table', () => {
  const dynamodb = mockClient(DynamoDBClient);
  const refused = new ConditionalCheckFailedException({ message: '', $metadata: {} });
  beforeEach(() => dynamodb.reset());

  it('locks once where two instances count the last failure together', async () => {
    dynamodb.on(UpdateItemCommand).callsFake(({ UpdateExpression }) => {
      if (String(UpdateExpression).includes('lockedUntil')) throw refused;
      return { Attributes: { failures: { N: '5' }, lockouts: { N: '1' } } };
    });
    expect(await new LockoutTable('t', limits.lockout).fail('account ann', 5)).toBe(0);
  });

  it('counts nothing during a lock-out, and a login that succeeds does not end one', async () => {
    dynamodb.on(UpdateItemCommand).rejects(new ConditionalCheckFailedException({ message: '', $metadata: {}, Item: { lockedUntil: { N: '1000' } } }));
    dynamodb.on(PutItemCommand).rejects(refused);
    dynamodb.on(DeleteItemCommand).rejects(new ConditionalCheckFailedException({ message: '', $metadata: {}, Item: { lockedUntil: { N: '1000' } } }));
    dynamodb.on(GetItemCommand).resolves({ Item: { lockedUntil: { N: '1000' } } });
    const locked = new LockoutTable('t', limits.lockout, () => 999);
    expect(await locked.fail('account ann', 5)).toBe(0);
    expect(await locked.succeed('account ann', 0)).toBe(false);
    expect(await new LockoutTable('t', limits.lockout, () => 1000).succeed('account ann', 0)).toBe(true);
  });

  it('doubles the lock-out each time, up to the longest', async () => {
    for (const [lockouts, seconds] of [
      [0, 30],
      [1, 60],
      [20, 3600],
    ]) {
      dynamodb.on(UpdateItemCommand).resolves({ Attributes: { failures: { N: '5' }, lockouts: { N: String(lockouts) } } });
      expect(await new LockoutTable('t', limits.lockout).fail('account ann', 5)).toBe(seconds);
    }
  });

  it('gives up where it can not count', async () => {
    dynamodb.rejects(refused).on(GetItemCommand).resolves({});
    await expect(new LockoutTable('t', limits.lockout).fail('account ann', 5)).rejects.toThrow('at once');
  });

  it('knows that a lock-out has ended before TTL has removed it', async () => {
    dynamodb.on(GetItemCommand).resolves({ Item: { lockedUntil: { N: '1000' } } });
    expect(await new LockoutTable('t', limits.lockout, () => 999).isLocked('k')).toBe(true);
    expect(await new LockoutTable('t', limits.lockout, () => 1000).isLocked('k')).toBe(false);
  });
});

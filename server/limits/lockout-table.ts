/** Failures and lock-outs in a DynamoDB table that all instances share. One item an address or account; TTL removes what is forgotten. */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { LockoutTimes } from './failures';

/** Failures are forgotten that long after the longest lock-out could have ended. Seconds. */
const FORGET_SECONDS = 3_600;
/** Attempts to count a failure while others count at the same moment. */
const MOST_ATTEMPTS = 4;

type Item = Readonly<Record<string, { readonly N?: string }>>;

export class LockoutTable {
  private readonly client: DynamoDBClient;

  constructor(
    private readonly table: string,
    private readonly times: LockoutTimes,
    private readonly now: () => number = Date.now,
  ) {
    // A login waits for this; what takes longer is as good as down.
    this.client = new DynamoDBClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 500, requestTimeout: 1_000, throwOnRequestTimeout: true } });
  }

  async isLocked(key: string): Promise<boolean> {
    const { Item } = await this.client.send(
      new GetItemCommand({ TableName: this.table, Key: { key: { S: key } }, ProjectionExpression: 'lockedUntil', ConsistentRead: true }),
    );
    return Number(Item?.['lockedUntil']?.N ?? 0) > this.now();
  }

  /** Counts a failure and answers the length in seconds of the lock-out that it caused; 0 where it caused none. During a lock-out nothing counts. */
  async fail(key: string, most: number): Promise<number> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const counted = (await this.count(key)) ?? (await this.startAnew(key));
      if (counted) return counted.failures < most ? 0 : this.lock(key, most, counted.lockouts);
      if (await this.isLocked(key)) return 0;
    }
    throw new Error('too many instances count failures of one account at once');
  }

  /** A login succeeded after so many failures of its own: takes them back. False where another instance has locked out meanwhile. */
  async succeed(key: string, failures: number): Promise<boolean> {
    const item = await this.forgive(key, failures);
    return !(Number(item?.['lockedUntil']?.N ?? 0) > this.now());
  }

  /**
   * Takes back so many failures; with the last of them, earlier lock-outs are forgotten as well. One that lasts goes on. Answers the item where it
   * was not changed.
   */
  async forgive(key: string, failures: number): Promise<Item | undefined> {
    const unlocked = '(attribute_not_exists(lockedUntil) OR lockedUntil <= :now)';
    const known = { TableName: this.table, Key: { key: { S: key } }, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const };
    const now = { ':now': { N: String(this.now()) } };
    const left = await this.unchanged(
      new UpdateItemCommand({
        ...known,
        UpdateExpression: 'SET failures = failures - :own',
        ConditionExpression: `failures > :own AND ${unlocked}`,
        ExpressionAttributeValues: { ':own': { N: String(failures) }, ...now },
      }),
    );
    if (!left) return undefined;
    const others = new DeleteItemCommand({
      ...known,
      ConditionExpression: `failures <= :own AND ${unlocked}`,
      ExpressionAttributeValues: { ':own': { N: String(failures) }, ...now },
    });
    return this.unchanged(others);
  }

  close(): void {
    this.client.destroy();
  }

  /** Adds one; undefined where the item is out of date, which TTL removes only within days (DynamoDB developer guide, "Time to Live"). */
  private async count(key: string): Promise<{ failures: number; lockouts: number } | undefined> {
    const updated = await this.unless(
      new UpdateItemCommand({
        TableName: this.table,
        Key: { key: { S: key } },
        UpdateExpression: 'SET expires = :expires ADD failures :one',
        ConditionExpression: 'attribute_not_exists(expires) OR (expires > :now AND (attribute_not_exists(lockedUntil) OR lockedUntil <= :moment))',
        ExpressionAttributeValues: { ':expires': this.expires(), ':one': { N: '1' }, ':now': this.seconds(), ':moment': { N: String(this.now()) } },
        ReturnValues: 'ALL_NEW',
      }),
    );
    const item = updated?.Attributes;
    return item && { failures: Number(item['failures']?.N ?? 0), lockouts: Number(item['lockouts']?.N ?? 0) };
  }

  /** Replaces an item that is out of date; undefined where another instance was faster. */
  private async startAnew(key: string): Promise<{ failures: number; lockouts: number } | undefined> {
    const replaced = await this.unless(
      new PutItemCommand({
        TableName: this.table,
        Item: { key: { S: key }, failures: { N: '1' }, expires: this.expires() },
        ConditionExpression: 'attribute_not_exists(expires) OR expires <= :now',
        ExpressionAttributeValues: { ':now': this.seconds() },
      }),
    );
    return replaced && { failures: 1, lockouts: 0 };
  }

  /** Locks, unless another instance did so on the same failures. */
  private async lock(key: string, most: number, lockouts: number): Promise<number> {
    const seconds = Math.min(this.times.firstSeconds * 2 ** lockouts, this.times.longestSeconds);
    const locked = await this.unless(
      new UpdateItemCommand({
        TableName: this.table,
        Key: { key: { S: key } },
        UpdateExpression: 'SET failures = :none, lockouts = :next, lockedUntil = :until, expires = :expires',
        ConditionExpression: 'failures >= :most AND (attribute_not_exists(lockouts) OR lockouts = :seen)',
        ExpressionAttributeValues: {
          ':none': { N: '0' },
          ':next': { N: String(lockouts + 1) },
          ':seen': { N: String(lockouts) },
          ':until': { N: String(this.now() + Math.round(seconds * 1000)) },
          ':expires': this.expires(),
          ':most': { N: String(most) },
        },
      }),
    );
    return locked ? seconds : 0;
  }

  /** Sends; answers the item as it is where the condition did not hold and there is one. */
  private async unchanged(command: UpdateItemCommand | DeleteItemCommand): Promise<Item | undefined> {
    try {
      await this.client.send(command as UpdateItemCommand);
      return undefined;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return error.Item as Item | undefined;
      throw error;
    }
  }

  /** Sends; undefined where the condition did not hold. */
  private async unless(command: UpdateItemCommand | PutItemCommand): Promise<{ Attributes?: Record<string, { N?: string }> } | undefined> {
    try {
      return (await this.client.send(command as UpdateItemCommand)) as { Attributes?: Record<string, { N?: string }> };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }

  private seconds(): { N: string } {
    return { N: String(Math.floor(this.now() / 1000)) };
  }

  private expires(): { N: string } {
    return { N: String(Math.ceil(this.now() / 1000 + this.times.longestSeconds + FORGET_SECONDS)) };
  }
}

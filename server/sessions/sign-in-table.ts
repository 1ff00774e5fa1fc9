/** Sign-ins in a DynamoDB table that all instances share: one item each, which TTL removes. It has the digest of a cookie, and the cookie nowhere. */
import { ConditionalCheckFailedException, DeleteItemCommand, DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { newSealKey } from './sign-in-seals';
import type { SignIn, SignInTimes } from './sign-ins';

/** The item with the key of seals. It has no end. */
const SEAL = { key: { S: 'seal of sign-ins' } };

export class SignInTable {
  private readonly client: DynamoDBClient;

  constructor(
    private readonly table: string,
    private readonly times: SignInTimes,
    private readonly now: () => number = Date.now,
  ) {
    // A request waits for this; what takes longer is as good as down.
    this.client = new DynamoDBClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 500, requestTimeout: 1_000, throwOnRequestTimeout: true } });
  }

  async put(key: string, signIn: SignIn): Promise<void> {
    const now = { N: String(this.now()) };
    const item = { ...this.keyOf(key), signIn: { S: JSON.stringify(signIn) }, begunAt: now, usedAt: now, expires: this.expires() };
    await this.client.send(new PutItemCommand({ TableName: this.table, Item: item }));
  }

  /** Notes that it was used, and answers it; undefined where it has ended, was idle for too long, or is too old. */
  async use(key: string): Promise<SignIn | undefined> {
    const now = this.now();
    const since = (seconds: number) => ({ N: String(now - seconds * 1000) });
    try {
      const { Attributes } = await this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: this.keyOf(key),
          UpdateExpression: 'SET usedAt = :now, expires = :expires',
          ConditionExpression: 'usedAt > :idle AND begunAt > :old',
          ExpressionAttributeValues: {
            ':now': { N: String(now) },
            ':expires': this.expires(),
            ':idle': since(this.times.signInIdleSeconds),
            ':old': since(this.times.signInSeconds),
          },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return JSON.parse(Attributes!['signIn']!.S!) as SignIn;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await this.client.send(new DeleteItemCommand({ TableName: this.table, Key: this.keyOf(key) }));
  }

  /** By which all instances seal cookies: made by the first that asks. */
  async sealKey(): Promise<string> {
    const { Attributes } = await this.client.send(
      new UpdateItemCommand({
        TableName: this.table,
        Key: SEAL,
        UpdateExpression: 'SET sealedBy = if_not_exists(sealedBy, :fresh)',
        ExpressionAttributeValues: { ':fresh': { S: newSealKey() } },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return Attributes!['sealedBy']!.S!;
  }

  close(): void {
    this.client.destroy();
  }

  private keyOf(key: string): { key: { S: string } } {
    return { key: { S: `sign-in ${key}` } };
  }

  /** Seconds since 1970. */
  private expires(): { N: string } {
    return { N: String(Math.ceil(this.now() / 1000 + this.times.signInIdleSeconds)) };
  }
}

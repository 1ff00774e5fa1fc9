/** Reads small objects from Amazon S3. The SDK finds region, credentials and AWS_ENDPOINT_URL by itself. */
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';

const uri = /^s3:\/\/([^/]+)\/(.+)$/;
let client: S3Client | undefined;

export function isObject(location: string): boolean {
  return uri.test(location);
}

/** The text of `s3://bucket/key`. Throws an Error that names the object. */
export async function readObject(location: string): Promise<string> {
  return (await readObjectBytes(location)).toString('utf8');
}

/** The same for what is no text. */
export async function readObjectBytes(location: string): Promise<Buffer> {
  const [, Bucket, Key] = uri.exec(location) ?? [];
  client ??= new S3Client({ maxAttempts: 4 });
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  } catch (error) {
    throw new Error(`${location}: can't be read (${(error as Error).name})`, { cause: error });
  }
}

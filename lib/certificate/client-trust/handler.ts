/**
 * The Lambda that brings the authorities of client certificates, and their revocation lists, to the instances: at a deployment and once
 * an hour. What is not in order is not taken, and what was there before stays.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { bundleProblems, type Revocations, readRevocations, revocationProblems } from './check';

/** Milliseconds that a distribution point may take, and the most bytes of a list. */
const FETCH_MS = 20_000;
const LARGEST_LIST = 50 * 1024 * 1024;

const logger = new Logger({ serviceName: 'ftps-client-trust' });

export async function handler(): Promise<void> {
  const s3 = new S3Client({ maxAttempts: 5 });
  const bucket = setting('BUCKET');
  const urls = (process.env['CRL_URLS'] ?? '').split(' ').filter(Boolean);
  try {
    const authorities = (await read(s3, setting('SOURCE_BUCKET'), setting('SOURCE_KEY')))!;
    refuse(bundleProblems(authorities));
    if (urls.length > 0) {
      const before = await read(s3, bucket, setting('CRL_KEY'));
      const lists = await Promise.all(urls.map(async (url) => named(url, readRevocations, await fetched(url))));
      for (const [index, list] of lists.entries())
        refuse((await revocationProblems(list, authorities, newestOf(before, list))).map((problem) => `${urls[index]}: ${problem}`));
      await write(s3, bucket, setting('CRL_KEY'), lists.map(({ pem }) => `${pem.trim()}\n`).join(''), before);
    }
    await write(s3, bucket, setting('CA_KEY'), authorities, await read(s3, bucket, setting('CA_KEY')));
    logger.info('authorities and revocation lists are in step', { lists: urls.length });
  } finally {
    // Measured is what the instances have, whether or not there was something new.
    if (urls.length > 0) reportHoursLeft(await read(s3, bucket, setting('CRL_KEY')));
  }
}

function named(url: string, reading: (data: Buffer) => Revocations, data: Buffer): Revocations {
  try {
    return reading(data);
  } catch (error) {
    throw new Error(`not taken: ${url}: ${(error as Error).message}`);
  }
}

/** The list of the same authority that is there already. */
function newestOf(pem: string | undefined, { issuer }: Revocations): Revocations | undefined {
  return listsIn(pem).find((one) => one.issuer === issuer);
}

function listsIn(pem = ''): Revocations[] {
  return (pem.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? []).map((one) => readRevocations(Buffer.from(one)));
}

async function fetched(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  const body = Buffer.from(await response.arrayBuffer());
  if (body.length > LARGEST_LIST) throw new Error(`${url}: ${body.length} bytes are more than a revocation list has`);
  return body;
}

async function read(s3: S3Client, Bucket: string, Key: string): Promise<string | undefined> {
  try {
    return await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

/** Nothing is written where nothing changed, so that versions tell of changes. */
async function write(s3: S3Client, Bucket: string, Key: string, text: string, before: string | undefined): Promise<void> {
  if (text !== before) await s3.send(new PutObjectCommand({ Bucket, Key, Body: text, ContentType: 'application/x-pem-file' }));
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(`not taken: ${problems.join('; ')}`);
}

/** One line in the embedded metric format (CloudWatch user guide, "Embedded metric format specification"). */
function reportHoursLeft(pem: string | undefined): void {
  const ends = listsIn(pem).map(({ nextUpdate }) => nextUpdate.getTime());
  const hours = ends.length === 0 ? 0 : (Math.min(...ends) - Date.now()) / 3_600_000;
  const metric = { Namespace: setting('METRIC_NAMESPACE'), Dimensions: [['Trust']], Metrics: [{ Name: 'ClientCrlHoursLeft', Unit: 'None' }] };
  console.log(
    JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [metric] }, Trust: setting('METRIC_TRUST'), ClientCrlHoursLeft: Math.max(hours, 0) }),
  );
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the environment variable ${name} is missing`);
  return value;
}

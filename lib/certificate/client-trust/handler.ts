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

/** `source`: `aws.events` where the schedule runs it; a deployment says nothing. */
export async function handler(event: { readonly source?: string } = {}): Promise<void> {
  const s3 = new S3Client({ maxAttempts: 5 });
  const bucket = setting('BUCKET');
  const urls = (process.env['CRL_URLS'] ?? '').split(' ').filter(Boolean);
  const keys = [setting('CA_KEY'), ...(urls.length > 0 ? [setting('CRL_KEY')] : [])];
  const problems: string[] = [];
  try {
    const authorities = (await read(s3, setting('SOURCE_BUCKET'), setting('SOURCE_KEY')))!;
    problems.push(...bundleProblems(authorities));
    if (urls.length > 0) problems.push(...(await refreshLists(s3, bucket, urls, authorities)));
    if (bundleProblems(authorities).length === 0) await write(s3, bucket, setting('CA_KEY'), authorities, await read(s3, bucket, setting('CA_KEY')));
    // A deployment, or its roll-back, need not fail for one partner's authority where the instances can go on; the next run by the schedule tells.
    const missing = (await Promise.all(keys.map((key) => read(s3, bucket, key)))).some((text) => text === undefined);
    if (problems.length > 0 && (event.source !== undefined || missing)) refuse(problems);
    if (problems.length > 0) logger.error('not all was taken; what was there before stays', { problems });
    else logger.info('authorities and revocation lists are in step', { lists: urls.length });
  } finally {
    // Measured is what the instances have, whether or not there was something new.
    if (urls.length > 0) reportHoursLeft(await read(s3, bucket, setting('CRL_KEY')));
  }
}

/** Takes each list that is in order; of the authorities whose list is not, the one before stays. Names what was wrong. */
async function refreshLists(s3: S3Client, bucket: string, urls: readonly string[], authorities: string): Promise<string[]> {
  const before = await read(s3, bucket, setting('CRL_KEY'));
  const problems: string[] = [];
  const taken: Revocations[] = [];
  await Promise.all(
    urls.map(async (url, index) => {
      try {
        const list = named(url, readRevocations, await fetched(url));
        const wrong = await revocationProblems(list, authorities, newestOf(before, list));
        if (wrong.length > 0) problems.push(...wrong.map((problem) => `${url}: ${problem}`));
        else taken[index] = list;
      } catch (error) {
        problems.push((error as Error).message.replace(/^not taken: /, ''));
      }
    }),
  );
  const lists = taken.filter(Boolean);
  for (const old of listsIn(before))
    if (!lists.some(({ issuer }) => issuer === old.issuer) && problems.length > 0 && (await revocationProblems(old, authorities, undefined)).length === 0)
      lists.push(old);
  if (lists.length > 0) await write(s3, bucket, setting('CRL_KEY'), lists.map(({ pem }) => `${pem.trim()}\n`).join(''), before);
  return problems;
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

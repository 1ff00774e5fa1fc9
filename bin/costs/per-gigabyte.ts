/** What each GB costs, by where the files lie. */
import type { Resource } from './bill';
import { prices } from './prices';

export type StorageKind = 'disk' | 'EFS, bursting' | 'EFS, elastic' | 'S3, scanned by the instances' | 'S3, scanned by GuardDuty';

export interface GigabytePrice {
  readonly kind: StorageKind;
  /** USD a GB that a client uploads. */
  readonly up: number;
  /** USD a GB that a client downloads, before traffic to the internet. */
  readonly down: number;
  /** USD a GB and month. */
  readonly stored: number;
  readonly note: string;
}

/** Uploads and downloads go in pieces of this size (`storage.partBytes`, 8 MiB). */
const PIECES = 10 ** 9 / (8 * 2 ** 20);
const s3Up = PIECES * prices.s3Put.usd;
const s3Down = PIECES * prices.s3Get.usd;

export const gigabytePrices: readonly GigabytePrice[] = [
  { kind: 'disk', up: 0, down: 0, stored: prices.disk.usd, note: 'one instance, whose files go with it' },
  {
    kind: 'EFS, bursting',
    up: 0,
    down: 0,
    stored: prices.efsStored.usd,
    note: 'the default; throughput is bounded by what is stored, see [storage](storage.md#how-fast-efs-is)',
  },
  {
    kind: 'EFS, elastic',
    up: prices.efsElasticWrite.usd,
    down: prices.efsElasticRead.usd,
    stored: prices.efsStored.usd,
    note: '`FileThroughput.ELASTIC`; no bound to speak of',
  },
  {
    kind: 'S3, scanned by the instances',
    up: 2 * s3Up,
    down: s3Down,
    stored: prices.s3Stored.usd,
    note: 'requests for pieces of 8 MiB, and the copy into place',
  },
  {
    kind: 'S3, scanned by GuardDuty',
    up: 2 * s3Up + prices.malwareScan.usd,
    down: s3Down,
    stored: prices.s3Stored.usd,
    note: 'and 0.215 for 1,000 files',
  },
];

/** Where the files of these resources lie. */
export function storageKindOf(resources: readonly Resource[]): StorageKind {
  const fileSystem = resources.find(({ Type }) => Type === 'AWS::EFS::FileSystem');
  if (fileSystem) return fileSystem.Properties.ThroughputMode === 'elastic' ? 'EFS, elastic' : 'EFS, bursting';
  if (resources.some(({ Type }) => Type === 'AWS::GuardDuty::MalwareProtectionPlan')) return 'S3, scanned by GuardDuty';
  return toldToServer(resources).includes('"kind":"s3"') ? 'S3, scanned by the instances' : 'disk';
}

/** The settings of the server lie in the user data of the launch template. */
const toldToServer = (resources: readonly Resource[]) =>
  resources
    .filter(({ Type }) => Type === 'AWS::EC2::LaunchTemplate')
    .map(({ Properties }) => JSON.stringify(Properties.LaunchTemplateData.UserData).replaceAll('\\', ''))
    .join();

export const gigabytePriceOf = (resources: readonly Resource[]): GigabytePrice => gigabytePrices.find(({ kind }) => kind === storageKindOf(resources))!;

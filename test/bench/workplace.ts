/** Where a bench run happens: files, accounts and a certificate on tmpfs, the same for every server. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { TestAuthority } from '../server/support/authority';
import { type HashCost, measureHashes, measureOwnHash, type OwnHash } from './hash-cost';

export const USER = 'bench';
export const PASSWORD = 'bench-password';
/** The account's numbers; nobody else on the machine should have them. */
export const UID = 47_110;
/** The cipher of every connection. */
export const CIPHER = { tls13: 'TLS_AES_256_GCM_SHA384', tls12: 'ECDHE-RSA-AES256-GCM-SHA384' };
export const MIB = 1024 * 1024;

/** How much is measured. */
export interface Scale {
  readonly rounds: number;
  readonly bigFile: number;
  readonly parallelFile: number;
  readonly smallFiles: number;
  readonly loginSeconds: number;
  readonly entries: number;
  readonly idle: number;
  readonly sharing: number;
}

export const full: Scale = {
  rounds: 3,
  bigFile: 1024 * MIB,
  parallelFile: 256 * MIB,
  smallFiles: 500,
  loginSeconds: 4,
  entries: 100_000,
  idle: 10_000,
  sharing: 2_000,
};
export const quick: Scale = {
  rounds: 1,
  bigFile: 512 * MIB,
  parallelFile: 128 * MIB,
  smallFiles: 200,
  loginSeconds: 2,
  entries: 100_000,
  idle: 5_000,
  sharing: 500,
};

export interface Workplace {
  readonly folder: string;
  /** Home of the account, whose files are the same for every server. */
  readonly home: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** Certificate and key in one file, for servers that want it so. */
  readonly combined: string;
  readonly hash: HashCost;
  /** As `ftps user hash` makes it: an honest hash. */
  readonly ownHash: OwnHash;
  /** What costs as much in the others. */
  readonly honestHash: HashCost;
  /** Where the Debian packages of the peers are unpacked. */
  readonly packages: string;
  readonly python: string;
  readonly scale: Scale;
}

export interface WorkplaceParts {
  readonly packages: string;
  readonly python: string;
  /** Where what a login costs does not matter: it need not be measured. */
  readonly hash?: HashCost;
  /** Whether any figure is one with an honest hash, which takes long to calibrate. Default: true. */
  readonly honestHash?: boolean;
}

export async function makeWorkplace(scale: Scale, parts: WorkplaceParts): Promise<Workplace> {
  const { packages, python, hash = await measureHashes(PASSWORD) } = parts;
  const ownHash = await measureOwnHash(PASSWORD);
  const folder = mkdtempSync('/dev/shm/ftps-bench-');
  chmodSync(folder, 0o755);
  const home = join(folder, 'home');
  mkdirSync(home);
  const authority = await TestAuthority.create();
  const { certificate, key } = await authority.issue({ names: ['localhost', '127.0.0.1'], rsa: true });
  const write = (name: string, text: string, mode = 0o644) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode });
    return path;
  };
  const place: Workplace = {
    folder,
    home,
    ca: write('ca.pem', authority.pem),
    certificate: write('server.pem', certificate),
    key: write('server.key', key, 0o600),
    combined: write('combined.pem', `${key}\n${certificate}`, 0o600),
    hash,
    ownHash,
    honestHash: parts.hash || parts.honestHash === false ? hash : await measureHashes(PASSWORD, ownHash.milliseconds),
    packages,
    python,
    scale,
  };
  makeFiles(place);
  own(home);
  warm(place);
  return place;
}

/**
 * A machine that is a guest gets memory from its host when it touches it for the first time, which costs more than all else of a transfer: who is
 * measured first would pay for all who follow.
 */
function warm({ home, scale }: Workplace): void {
  const path = join(home, 'warm');
  randomFile(path, scale.bigFile + 4 * scale.parallelFile);
  rmSync(path);
}

/** Gives everything in a folder to the account. */
function own(folder: string): void {
  chownSync(folder, UID, UID);
  spawnSync('chown', ['-R', `${UID}:${UID}`, folder], { stdio: 'inherit' });
}

function makeFiles({ home, scale }: Workplace): void {
  randomFile(join(home, 'big'), scale.bigFile);
  randomFile(join(home, 'parallel'), scale.parallelFile);
  randomFile(join(home, 'one-mib'), MIB);
  mkdirSync(join(home, 'up'));
  mkdirSync(join(home, 'small'));
  for (let index = 0; index < scale.smallFiles; index += 1) randomFile(join(home, 'small', `f${index}`), 4096);
  mkdirSync(join(home, 'many'));
  for (let index = 0; index < scale.entries; index += 1) closeSync(openSync(join(home, 'many', `entry-${String(index).padStart(6, '0')}.dat`), 'w'));
}

/** Bytes that can't be compressed, of which each MiB is different. */
function randomFile(path: string, bytes: number): void {
  const file = openSync(path, 'w', 0o644);
  const piece = randomBytes(Math.min(bytes, MIB));
  for (let at = 0; at < bytes; at += piece.length) {
    piece.writeUInt32LE((at / MIB) >>> 0, 0);
    writeSync(file, piece, 0, Math.min(piece.length, bytes - at));
  }
  ftruncateSync(file, bytes);
  closeSync(file);
}

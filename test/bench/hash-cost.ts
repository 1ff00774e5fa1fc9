/** Password hashes that cost the same: crypt(3) for the peers, PBKDF2 for this server, calibrated against each other. */
import { spawnSync } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { hashPassword } from '../../server/identity/password';

export interface OwnHash {
  /** PHC string. */
  readonly phc: string;
  readonly milliseconds: number;
}

/** A hash as this server makes it by default, and the processor time of one. */
export async function measureOwnHash(password: string): Promise<OwnHash> {
  let [phc, milliseconds] = ['', Number.POSITIVE_INFINITY];
  for (let turn = 0; turn < 3; turn += 1) {
    const begin = process.cpuUsage();
    phc = await hashPassword(password);
    const { user, system } = process.cpuUsage(begin);
    milliseconds = Math.min(milliseconds, (user + system) / 1e3);
  }
  return { phc, milliseconds };
}

export interface HashCost {
  /** For /etc/shadow: SHA-512 crypt. */
  readonly crypt: string;
  readonly cryptMilliseconds: number;
  /** PHC string for this server, with as many iterations as take that long. */
  readonly phc: string;
  readonly iterations: number;
  readonly phcMilliseconds: number;
}

/** crypt(3) through the system's own libcrypt, since Node has none. Prints the hash and the milliseconds that one takes. */
const CRYPT = `
import ctypes, sys, time
crypt = ctypes.CDLL('libcrypt.so.1').crypt
crypt.restype = ctypes.c_char_p
password, salt = sys.argv[1].encode(), b'$6$' + sys.argv[2].encode() + b'$'
best = 1e9
for _ in range(int(sys.argv[3])):
    begin = time.process_time(); result = crypt(password, salt); best = min(best, time.process_time() - begin)
print(result.decode(), best * 1000)`;

/** Two measurements that differ by more than this were taken while the machine ran at two speeds. */
const TOLERANCE = 0.05;

/** SHA-512 crypt's default. */
const ROUNDS = 5_000;

/** Hashes of a password; `milliseconds`: how much one costs about, by default what SHA-512 crypt costs with its default of 5,000 rounds. */
export async function measureHashes(password: string, milliseconds?: number): Promise<HashCost> {
  const turns = milliseconds === undefined ? 30 : 3;
  const rounds = milliseconds === undefined ? ROUNDS : Math.round((ROUNDS * milliseconds) / timeCrypt(password, ROUNDS, 30).milliseconds);
  const salt = randomBytes(16);
  const derive = (iterations: number) => pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const time = (iterations: number) => {
    let best = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < turns; turn += 1) {
      const begin = process.cpuUsage();
      derive(iterations);
      // The sum of both is exact; how it is shared out may be a guess at a tick.
      const { user, system } = process.cpuUsage(begin);
      best = Math.min(best, (user + system) / 1e3);
    }
    return best;
  };
  for (let attempt = 1; ; attempt += 1) {
    const { crypt, milliseconds: before } = timeCrypt(password, rounds, turns);
    const iterations = Math.max(1, Math.round((10_000 * before) / time(10_000)));
    const phcMilliseconds = time(iterations);
    const { milliseconds: after } = timeCrypt(password, rounds, turns);
    const cryptMilliseconds = (before + after) / 2;
    if (Math.abs(phcMilliseconds / cryptMilliseconds - 1) > TOLERANCE && attempt < 20) continue;
    return { crypt, cryptMilliseconds, phc: phcOf(password, iterations), iterations, phcMilliseconds };
  }
}

/** As this server reads it. */
function phcOf(password: string, iterations: number): string {
  const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  const salt = randomBytes(16);
  return `$pbkdf2-sha256$i=${iterations}$${base64(salt)}$${base64(pbkdf2Sync(password, salt, iterations, 32, 'sha256'))}`;
}

/** One for this server, about as dear as the others' default. */
export function anyHash(password: string): HashCost {
  const iterations = 10_000;
  return { crypt: '', cryptMilliseconds: 0, phc: phcOf(password, iterations), iterations, phcMilliseconds: 0 };
}

function timeCrypt(password: string, rounds: number, turns: number): { crypt: string; milliseconds: number } {
  const ran = spawnSync('/usr/bin/python3', ['-c', CRYPT, password, `rounds=${rounds}$${randomBytes(8).toString('hex')}`, String(turns)], { encoding: 'utf8' });
  const [crypt, milliseconds] = ran.stdout.trim().split(' ');
  if (!crypt?.startsWith('$6$')) throw new Error(`crypt(3) is needed to make accounts for the peers: ${ran.stderr}`);
  return { crypt, milliseconds: Number(milliseconds) };
}

/** Password hashes that cost the same: crypt(3) for the peers, PBKDF2 for this server, calibrated against each other. */
import { spawnSync } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';

export interface HashCost {
  /** For /etc/shadow: SHA-512 crypt with its default of 5,000 rounds. */
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
for _ in range(30):
    begin = time.process_time(); result = crypt(password, salt); best = min(best, time.process_time() - begin)
print(result.decode(), best * 1000)`;

export async function measureHashes(password: string): Promise<HashCost> {
  const ran = spawnSync('/usr/bin/python3', ['-c', CRYPT, password, randomBytes(8).toString('hex')], { encoding: 'utf8' });
  const [crypt, milliseconds] = ran.stdout.trim().split(' ');
  if (!crypt?.startsWith('$6$')) throw new Error(`crypt(3) is needed to make accounts for the peers: ${ran.stderr}`);
  const cryptMilliseconds = Number(milliseconds);
  const salt = randomBytes(16);
  const time = (iterations: number) => {
    let best = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 30; turn += 1) {
      const begin = process.hrtime.bigint();
      pbkdf2Sync(password, salt, iterations, 32, 'sha256');
      best = Math.min(best, Number(process.hrtime.bigint() - begin) / 1e6);
    }
    return best;
  };
  const iterations = Math.max(1, Math.round((10_000 * cryptMilliseconds) / time(10_000)));
  const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  return {
    crypt,
    cryptMilliseconds,
    phc: `$pbkdf2-sha256$i=${iterations}$${base64(salt)}$${base64(pbkdf2Sync(password, salt, iterations, 32, 'sha256'))}`,
    iterations,
    phcMilliseconds: time(iterations),
  };
}

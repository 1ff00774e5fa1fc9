/** Passwords for new accounts: a generator, and the question for one. */
import { randomInt } from 'node:crypto';
import { passwordProblems } from '../../server/identity/password-rules';
import { UsageError } from './exit';
import { readPassword } from './read-password';

/** 24 letters and digits without those that look alike: 137 bits. */
export function generatePassword(): string {
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789';
  for (;;) {
    const password = Array.from({ length: 24 }, () => alphabet[randomInt(alphabet.length)]).join('');
    if (/[a-zA-Z]/.test(password) && /\d/.test(password)) return password;
  }
}

/** Asks without echo, twice at a terminal; takes the first line of standard input elsewhere. Throws a UsageError with all that is wrong. */
export async function askForPassword(user: string): Promise<string> {
  const password = await readPassword(`Password of ${user}: `);
  const problems = passwordProblems(password, user);
  if (problems.length > 0) throw new UsageError(`the password can't be used: ${problems.join('; ')}`);
  if (process.stdin.isTTY && (await readPassword('Once more: ')) !== password) throw new UsageError('the two passwords differ');
  return password;
}

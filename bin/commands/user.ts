/** `ftps user hash`. */
import { Command } from 'commander';
import { hashPassword } from '../../server/identity/password';
import { UsageError } from './exit';
import { readPassword } from './read-password';

export function userCommand(): Command {
  const user = new Command('user').description('Accounts and their passwords.');
  user
    .command('hash')
    .description('Asks for a password, without echo, and prints its hash for an accounts file; or takes the first line of standard input.')
    .option('--fips', 'use PBKDF2-HMAC-SHA-256 instead of scrypt')
    .action(async ({ fips }: { fips?: boolean }) => {
      const password = await readPassword('Password: ');
      if (password === '') throw new UsageError('the password is empty');
      process.stdout.write(`${await hashPassword(password, { fips })}\n`);
    });
  return user;
}

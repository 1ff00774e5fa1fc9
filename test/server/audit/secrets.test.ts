/** That secrets are found where they were written: the check behind the last line of the suite can fail. */
import { PASSWORD, testServer } from '../support/server';
import { secret } from '../support/written';
import { leaksIn } from '../support/written-leaks.cjs';

const key = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0w\nawIBAQQg\n-----END PRIVATE KEY-----\n';

it.each([
  ['a password', 'the password is hunter2-and-more', ['hunter2-and-more']],
  ['a password as JSON writes it', JSON.stringify({ login: 'a "quoted" one' }), ['a "quoted" one']],
  ['one line of a key', 'x MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0w x', [key]],
  ['any private key', '-----BEGIN EC PRIVATE KEY-----', []],
  ['any hash', '{"passwordHash":"$scrypt$ln=15,r=8,p=3$x$y"}', []],
  ['a key of AWS', 'AKIAIOSFODNN7EXAMPLE', []],
])('%s is found', (_what, written, secrets) => {
  expect(leaksIn(written, secrets)).toHaveLength(1);
});

it('nothing is found where nothing is', () => {
  expect(leaksIn('230 Logged in.\n{"user":{"name":"demo"}}', [key, 'hunter2-and-more'])).toEqual([]);
});

it('a login, right or wrong, with its password in every wrong place, leaves no trace of it', async () => {
  const server = await testServer({}, [{ user: 'demo' }]);
  const typed = secret('a-password-typed-in-the-wrong-place');
  const client = await server.client();
  for (const line of [`PASS ${typed}`, `ACCT ${typed}`, `SITE PSWD ${typed} ${typed}`, `PASSWORD ${typed}`, `pass\t${typed}`, ` PASS ${typed}`])
    await client.sendIgnoringError(line);
  await expect(server.client('implicit', {}, 'nobody')).rejects.toThrow('530');
  await server.close();
  expect(leaksIn(JSON.stringify(server.audit.events), [typed, PASSWORD])).toEqual([]);
});

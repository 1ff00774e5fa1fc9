/** Of what nobody may have more. */
import { z } from 'zod';
import { bandwidth, count, seconds } from './values';

export const limitsSchema = z.strictObject({
  sessions: count('Sessions at once.').default(10_000),
  sessionsPerAddress: count('Sessions at once from one client address.').default(500),
  sessionsPerAccount: count('Sessions at once of one account.').default(500),
  strangersPerAddress: count(
    'Connections from one address that have not logged in: those that are open, and those of the last minute that ended so (a failed handshake, a client that never spoke, a wrong password); more are answered 421.',
  ).default(250),
  connectionsPerMinutePerAddress: count('New connections in a minute from one address; more are answered 421.').default(6_000),
  loginAttempts: count('Failed logins after which a session is closed.').default(3),
  loginSeconds: seconds('A session that has not logged in by then is closed.').default(60),
  idleSeconds: seconds('A session without a command or transfer is closed after that long.').default(900),
  stallSeconds: seconds('A transfer that moves no byte for that long is ended.').default(60),
  lockout: z
    .strictObject({
      failuresPerAddress: count('Failed logins from one address after which it is locked out; one account makes up a quarter of them at most.').default(20),
      failuresPerAccount: count(
        'Failed logins of one account, from anywhere, after which it is locked out; from an address where it has logged in within a day, only those from there count.',
      ).default(10),
      firstSeconds: seconds('Length of the first lock-out; each further one doubles it.').default(30),
      longestSeconds: seconds('The longest lock-out.').default(3_600),
      table: z
        .string()
        .min(3)
        .optional()
        .describe(
          'DynamoDB table in which all instances share failures and lock-outs: partition key `key` (text), TTL attribute `expires`. Absent: each instance has its own. While the table can not be reached, each goes on with its own.',
        ),
    })
    .prefault({}),
  bandwidth: bandwidth('of the server, of all its workers,'),
  drainSeconds: seconds('How long transfers may go on after SIGTERM or a termination notice.').default(300),
});

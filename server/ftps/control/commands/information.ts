/** What the server tells about itself and about a running transfer. */
import type { Entry } from '../../../files/account-files';
import { listLines, type MlstFact, mlstFacts } from '../../transfer/entry-lines';
import { find } from '../listed';
import type { Session, SessionCommand } from '../session';
import { wrongState } from '../states';
import { hashNames } from './files';

/** FEAT (RFC 2389): what the commands announce to this session, and what is no command of its own. */
async function features(session: Session): Promise<string[]> {
  const announced = await Promise.all(session.commands.all.map(async (command) => (await command.features?.(session)) ?? []));
  return [...announced.flat(), 'UTF8', 'TVFS'];
}

/** HELP without an argument: every name, eight a line; a star where the state table says no. */
function helpLines(session: Session): string[] {
  const names = session.commands.all.flatMap(({ name, aliases = [], allowed }) =>
    [name, ...aliases].map((one) => (wrongState(allowed, session.state) ? `${one}*` : one)),
  );
  const lines: string[] = [];
  for (let at = 0; at < names.length; at += 8) {
    const line = names.slice(at, at + 8).map((name) => name.padEnd(9));
    lines.push(` ${line.join('').trimEnd()}`);
  }
  return lines;
}

async function options(session: Session, argument: string): Promise<void> {
  const [name = '', ...rest] = argument.split(' ');
  const value = rest.join(' ');
  switch (name.toUpperCase()) {
    case 'UTF8':
      return /^(on)?$/i.test(value) ? session.reply(200, 'UTF-8 is always on.') : session.reply(504, 'UTF-8 is always on.');
    case 'MLST': {
      const wanted = value.toLowerCase().split(';').filter(Boolean);
      const chosen = mlstFacts.filter((fact) => wanted.includes(fact));
      session.mlstFacts = new Set<MlstFact>(chosen);
      return session.reply(200, `MLST OPTS ${chosen.map((fact) => `${fact};`).join('')}`.trimEnd());
    }
    case 'HASH': {
      if (value === '') return session.reply(200, session.hashName);
      const chosen = hashNames.find((hash) => hash === value.toUpperCase());
      if (!chosen) return session.reply(501, `Choose one of ${hashNames.join(', ')}.`);
      session.hashName = chosen;
      return session.reply(200, chosen);
    }
    default:
      return session.reply(501, 'There are options for UTF8, MLST and HASH.');
  }
}

/** What STAT lists of a folder: its lines go over the control connection, which is no place for a million. */
const MOST_LISTED = 1_000;

async function firstOf(batches: AsyncIterable<readonly Entry[]>, most: number): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const batch of batches) {
    found.push(...batch);
    if (found.length >= most) break;
  }
  return found;
}

async function status(session: Session, argument: string): Promise<void> {
  if (argument !== '') {
    if (!session.account) return session.reply(530, 'Log in first: send USER, then PASS.');
    const { path, isFolder, batches } = await find(session, argument);
    const entries = await firstOf(batches, MOST_LISTED + 1);
    const { permissions } = session.account;
    const lines = entries
      .slice(0, MOST_LISTED)
      .map(listLines(permissions, Date.now()))
      .map((line) => line.trimEnd());
    const end = entries.length > MOST_LISTED ? 'There is more; send LIST.' : 'End.';
    return session.replyBlock(isFolder ? 212 : 213, `Status of ${path}`, lines, end);
  }
  const { transfer } = session;
  const tls = session.tls;
  return session.replyBlock(
    211,
    'Status',
    [
      ` ${session.account ? `Logged in as ${session.account.user}` : 'Not logged in'}`,
      ` ${tls ? `Encrypted by ${tls.getProtocol()} ${tls.getCipher().standardName}` : 'Not encrypted'}`,
      transfer
        ? ` ${transfer.command} ${transfer.path}: ${transfer.progress.bytes} bytes in ${Math.round(transfer.progress.seconds)} s`
        : ' No transfer is running',
    ],
    'End.',
  );
}

export const information: readonly SessionCommand[] = [
  {
    name: 'FEAT',
    syntax: 'FEAT',
    allowed: 'always',
    argument: 'none',
    run: async (session) =>
      session.replyBlock(
        211,
        'Features:',
        (await features(session)).map((line) => ` ${line}`),
        'End',
      ),
  },
  {
    name: 'HELP',
    syntax: 'HELP [<command>]',
    allowed: 'always',
    argument: 'optional',
    run(session, argument) {
      if (argument === '') return session.replyBlock(214, 'These commands are there (* not now):', helpLines(session), 'Send HELP and a name for its syntax.');
      const known = session.commands.named(argument.toUpperCase());
      return known ? session.reply(214, `Syntax: ${known.syntax}`) : session.reply(502, 'There is no such command.');
    },
  },
  { name: 'OPTS', syntax: 'OPTS <name> [<value>]', allowed: 'always', argument: 'required', run: options },
  {
    name: 'STAT',
    syntax: 'STAT [<path>]',
    allowed: 'always',
    argument: 'optional',
    verbatim: true,
    does: (argument) => (argument === '' ? undefined : 'list'),
    duringTransfer: true,
    run: status,
  },
  { name: 'NOOP', syntax: 'NOOP', allowed: 'always', argument: 'none', duringTransfer: true },
  { name: 'SYST', syntax: 'SYST', allowed: 'always', argument: 'none' },
  {
    name: 'ALLO',
    syntax: 'ALLO <bytes>',
    allowed: 'once-logged-in',
    argument: 'optional',
    run: (session) => session.reply(202, 'There is nothing to allocate.'),
  },
  {
    name: 'CLNT',
    syntax: 'CLNT <name>',
    allowed: 'always',
    argument: 'optional',
    verbatim: true,
    features: () => ['CLNT'],
    run: (session) => session.reply(200, 'Noted.'),
  },
  {
    name: 'LANG',
    syntax: 'LANG [<language>]',
    allowed: 'always',
    argument: 'optional',
    features: () => ['LANG EN*'],
    run: (session, argument) =>
      /^(en(-[a-z]+)*)?$/i.test(argument) ? session.reply(200, 'Texts are in English.') : session.reply(504, 'Texts are in English only.'),
  },
];

/** What the server tells about itself and about a running transfer. */
import { factsLine, type MlstFact, mlstFacts } from '../../transfer/entry-lines';
import type { Command } from '../command';
import { resolvePath } from '../paths';
import type { Session } from '../session';

const hashNames = ['SHA-256', 'SHA-384', 'SHA-512'] as const;

/** FEAT (RFC 2389): what the table announces, and what switches on and off with the configuration. */
function features(session: Session): string[] {
  const { active, commands } = session.engine;
  const hidden = active.enabled ? [] : ['EPRT'];
  return [...commands.all.filter(({ name }) => !hidden.includes(name)).flatMap((command) => command.features ?? []), 'UTF8', 'TVFS', 'CLNT', 'LANG EN*'];
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

async function status(session: Session, argument: string): Promise<void> {
  if (argument !== '') {
    if (!session.account) return session.reply(530, 'Log in first: send USER, then PASS.');
    if (!session.may('list')) return session.reply(550, 'This account may not list.');
    const path = resolvePath(session, argument);
    const entry = await session.volume!.stat(path);
    return session.replyBlock(
      entry.type === 'directory' ? 212 : 213,
      'Status',
      [factsLine(entry, path, session.mlstFacts, session.account.permissions)],
      'End.',
    );
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

export const information: readonly Command[] = [
  {
    name: 'FEAT',
    syntax: 'FEAT',
    allowed: 'always',
    argument: 'none',
    run: (session) =>
      session.replyBlock(
        211,
        'Features:',
        features(session).map((line) => ` ${line}`),
        'End',
      ),
  },
  {
    name: 'HELP',
    syntax: 'HELP [<command>]',
    allowed: 'always',
    argument: 'optional',
    run(session, argument) {
      if (argument === '')
        return session.replyBlock(
          214,
          'These commands are there:',
          session.engine.commands.all.map(({ syntax }) => ` ${syntax}`),
          'End.',
        );
      const known = session.engine.commands.named(argument.toUpperCase());
      return known ? session.reply(214, `Syntax: ${known.syntax}`) : session.reply(502, 'There is no such command.');
    },
  },
  { name: 'OPTS', syntax: 'OPTS <name> [<value>]', allowed: 'always', argument: 'required', run: options },
  { name: 'STAT', syntax: 'STAT [<path>]', allowed: 'always', argument: 'optional', duringTransfer: true, run: status },
  { name: 'NOOP', syntax: 'NOOP', allowed: 'always', argument: 'none', duringTransfer: true },
  { name: 'SYST', syntax: 'SYST', allowed: 'always', argument: 'none' },
  { name: 'ALLO', syntax: 'ALLO <bytes>', allowed: 'logged-in', argument: 'optional', run: (session) => session.reply(202, 'There is nothing to allocate.') },
  { name: 'CLNT', syntax: 'CLNT <name>', allowed: 'always', argument: 'optional', run: (session) => session.reply(200, 'Noted.') },
  {
    name: 'LANG',
    syntax: 'LANG [<language>]',
    allowed: 'always',
    argument: 'optional',
    run: (session, argument) =>
      /^(en(-[a-z]+)*)?$/i.test(argument) ? session.reply(200, 'Texts are in English.') : session.reply(504, 'Texts are in English only.'),
  },
  {
    name: 'SITE',
    syntax: 'SITE HELP',
    allowed: 'logged-in',
    argument: 'required',
    run(session, argument) {
      const [name = ''] = argument.toUpperCase().split(' ');
      if (name === 'HELP') return session.replyBlock(214, 'SITE commands:', [' HELP'], 'End.');
      if (name === 'CHMOD') return session.reply(504, 'Modes are set by the server and can not be changed.');
      return session.reply(504, 'There is no such SITE command; send SITE HELP.');
    },
  },
];

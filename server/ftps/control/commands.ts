/** The command table: every command the server knows, by name. */
import type { CommandTable } from './command';
import { access } from './commands/access';
import { dataConnection } from './commands/data-connection';
import { files } from './commands/files';
import { folders } from './commands/folders';
import { information } from './commands/information';
import { listings } from './commands/listings';
import { parameters } from './commands/parameters';
import { security } from './commands/security';
import { site } from './commands/site';
import { transfers } from './commands/transfers';
import { registerCommands } from './ftp-srv';
import type { Session, SessionCommand } from './session';

const all: readonly SessionCommand[] = [
  ...access,
  ...security,
  ...dataConnection,
  ...parameters,
  ...transfers,
  ...listings,
  ...files,
  ...folders,
  ...information,
  ...site,
];

const byName = new Map(all.flatMap((command) => [command.name, ...(command.aliases ?? [])].map((name) => [name, command] as const)));

registerCommands(all);

export const commandTable: CommandTable<Session> = { all, named: (name) => byName.get(name) };

/** `ftps quarantine list|show|release|delete`: the infected uploads that a server has put away. */
import { userInfo } from 'node:os';
import { Command } from 'commander';
import { openAudit, openTarget } from '../../server/audit/sink';
import type { ServerConfig } from '../../server/config';
import { releaseAndTell } from '../../server/files/release/by-operator';
import { openStorage } from '../../server/files/storage/open';
import type { Quarantined, Storage } from '../../server/files/storage/storage';
import { printable } from '../../server/text/printable';
import { remark, say } from '../terminal/say';
import { readConfig } from './config';

export function quarantineCommand(): Command {
  const quarantine = new Command('quarantine').description('Looks at infected uploads, lets one go, or deletes it.');
  const add = <Rest extends unknown[]>(
    usage: string,
    description: string,
    act: (storage: Storage, config: ServerConfig, ...rest: Rest) => Promise<string>,
  ): Command =>
    quarantine
      .command(usage)
      .description(description)
      .requiredOption('--config <file>', 'configuration file of the server')
      .action(async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        const config = await readConfig(command.opts<{ config: string }>().config);
        const storage = openStorage(config);
        try {
          say(`${await act(storage, config, ...([...command.args, command.opts()] as unknown as Rest))}\n`);
        } finally {
          await storage.close();
        }
      });
  add<[{ json?: boolean }]>('list', 'Prints what is in quarantine, the oldest first.', async (storage, _config, { json }) => {
    const found = await storage.quarantine.list();
    return json ? JSON.stringify(found) : found.length === 0 ? 'The quarantine is empty.' : found.map(line).join('\n');
  }).option('--json', 'print JSON');
  add<[string]>('show <id>', 'Prints everything that is known of one file.', async (storage, _config, id) =>
    JSON.stringify(await storage.quarantine.find(id), undefined, 2),
  );
  add<[string]>('release <id>', 'Puts a file where it was meant to go, unless the name is taken by now.', async (storage, config, id) => {
    const { quarantine: store } = storage;
    const file = await store.find(id);
    await audited(config, 'released', file, () => releaseAndTell(config, file, storage.locate(file.home, file.path), () => store.release(id)));
    return printable(`${id} is released: ${file.user} has ${file.path} now.`);
  });
  add<[string]>('delete <id>', 'Deletes a file for good.', async ({ quarantine: store }, config, id) => {
    await audited(config, 'deleted', await store.find(id), () => store.remove(id));
    return `${id} is deleted.`;
  });
  return quarantine;
}

/** Says in the server's audit who did it. What can't be audited is not done. */
async function audited({ audit }: ServerConfig, change: 'released' | 'deleted', file: Quarantined, act: () => Promise<void>): Promise<void> {
  let problem: Error | undefined;
  const sink = openAudit(audit.destination === '-' ? standardError : await openTarget({ ...audit, rotate: false }), (error) => {
    problem = error;
  });
  const { id, state, user, home, path, size: bytes, sha256, signature, engine } = file;
  const said = (end: { readonly outcome: 'success' } | { readonly outcome: 'failure'; readonly reason: string }) =>
    sink.record({ kind: 'quarantine', change, operator: operator(), id, state, user, home, path, bytes, sha256, signature, engine, ...end });
  try {
    await act();
    said({ outcome: 'success' });
  } catch (error) {
    said({ outcome: 'failure', reason: (error as Error).message });
    throw error;
  } finally {
    await sink.close();
  }
  if (problem) throw new Error(`it is done, but the audit could not be written (${problem.message})`);
}

/** Where the server's audit goes to its standard output, nobody but this terminal hears of it. */
const standardError = {
  write: async (text: string) => void remark(text),
  reopen: async () => {},
  close: async () => {},
};

/** The person behind `sudo`, where there is one. */
function operator(): string {
  const { username } = userInfo();
  const person = process.env['SUDO_USER'];
  return person ? `${person} as ${username}` : username;
}

function line({ id, state, signature, size, user, path, client }: Quarantined): string {
  return printable(`${id}  ${signature ?? state}  ${size} bytes  ${user} from ${client}  ${path}`);
}

/** `ftps quarantine list|show|release|delete`: the infected uploads that a server has put away. */
import { Command } from 'commander';
import { openStorage } from '../../server/storage/open';
import type { Quarantine, Quarantined } from '../../server/storage/storage';
import { readConfig } from './config';

export function quarantineCommand(): Command {
  const quarantine = new Command('quarantine').description('Looks at infected uploads, lets one go, or deletes it.');
  const add = <Rest extends unknown[]>(usage: string, description: string, act: (quarantine: Quarantine, ...rest: Rest) => Promise<string>) =>
    quarantine
      .command(usage)
      .description(description)
      .requiredOption('--config <file>', 'configuration file of the server')
      .action(async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        const storage = openStorage(await readConfig(command.opts<{ config: string }>().config));
        try {
          process.stdout.write(`${await act(storage.quarantine, ...([...command.args, command.opts()] as unknown as Rest))}\n`);
        } finally {
          await storage.close();
        }
      });
  add<[{ json?: boolean }]>('list', 'Prints what is in quarantine, the oldest first.', async (store, { json }) => {
    const found = await store.list();
    return json ? JSON.stringify(found) : found.length === 0 ? 'The quarantine is empty.' : found.map(line).join('\n');
  }).option('--json', 'print JSON');
  add<[string]>('show <id>', 'Prints everything that is known of one file.', async (store, id) => JSON.stringify(await store.find(id), undefined, 2));
  add<[string]>('release <id>', 'Puts a file where it was meant to go, unless the name is taken by now.', async (store, id) => {
    const { user, path } = await store.find(id);
    await store.release(id);
    return `${id} is released: ${user} has ${path} now.`;
  });
  add<[string]>('delete <id>', 'Deletes a file for good.', async (store, id) => {
    await store.remove(id);
    return `${id} is deleted.`;
  });
  return quarantine;
}

function line({ id, state, signature, size, user, path, client }: Quarantined): string {
  return `${id}  ${signature ?? state}  ${size} bytes  ${user} from ${client}  ${path}`;
}

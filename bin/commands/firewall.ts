/** `ftps firewall`: the privileged process that opens single passive ports in the kernel's firewall for the server. */
import { once } from 'node:events';
import { Command } from 'commander';
import { parsePortRange } from '../../server/config';
import { openGate } from '../../server/ftps/firewall/gate';
import { Nft } from '../../server/ftps/firewall/nft';
import { removeTable } from '../../server/ftps/firewall/table';
import { remark } from '../terminal/say';
import { readConfig } from './config';

export function firewallCommand(): Command {
  return new Command('firewall')
    .description(
      'Keeps the passive ports closed in nftables, and opens one to one client for the server that asks over a Unix socket. Needs CAP_NET_ADMIN and the group of the server, nothing else.',
    )
    .requiredOption('--config <file>', 'the JSON configuration of the server, for passive.ports and firewall')
    .option('--remove', 'take the table away and end, so that the ports are open to all')
    .action(async ({ config: file, remove }: { readonly config: string; readonly remove?: boolean }) => {
      const { firewall, passive } = await readConfig(file);
      const range = parsePortRange(passive.ports);
      if (remove || firewall.mode === 'off' || 'any' in range) {
        const nft = new Nft();
        await nft.run(removeTable()).finally(() => nft.close());
        remark(remove ? 'the table is gone\n' : 'firewall.mode is off: there is nothing to do\n');
        return;
      }
      const gate = await openGate({ socket: firewall.socket, ...range });
      const told = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]); // before anybody can know that it runs
      remark(`passive ports ${passive.ports} are closed; ${firewall.socket} opens them\n`);
      await told;
      await gate.close();
    });
}

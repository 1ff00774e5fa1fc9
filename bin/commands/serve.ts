/** `ftps serve`: from a configuration file, or for a laptop from flags. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { watchLifecycle } from '../../server/lifecycle/auto-scaling';
import { serve } from '../../server/serve';
import { remark } from '../terminal/say';
import { readConfig } from './config';
import { UsageError } from './exit';
import { type LaptopFlags, laptopConfig } from './laptop';

type Flags = LaptopFlags & { readonly config?: string; readonly readyFile?: string };

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serves FTPS until it is told to stop: SIGTERM and SIGINT drain, SIGHUP reads certificates again.')
    .option('--config <file>', 'JSON configuration; see `ftps config schema`')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--explicit-port <port>', 'port for AUTH TLS (default: 2121); 0 is any free port')
    .option('--implicit-port <port>', 'port for implicit TLS (default: 2990); 0 is any free port')
    .option('--passive-ports <low-high>', 'passive range (default: 50000-50015); 0-0 is any free ports')
    .option('--sftp-port <port>', 'port of SFTP (default: none)')
    .option('--https-port <port>', 'port of HTTPS (default: none)')
    .option('--root <folder>', 'home of the account (default: files in the state folder)')
    .option('--user <name>', 'name of the account')
    .option('--password-file <file>', 'file whose first line is the password')
    .option('--audit <file>', 'where the audit goes, - for standard output (default: -)')
    .option('--admin-port <port>', 'loopback port for health and metrics (default: none)')
    .option('--workers <number>', 'processes that serve, or auto for one per vCPU (default: 1)')
    .option('--state <folder>', 'where the local CA and the account are kept (default: .ftps)')
    .option('--ready-file <file>', 'write the open ports there as JSON once everything is open')
    .action(async (flags: Flags) => {
      const { config: file, readyFile, ...laptop } = flags;
      if (file !== undefined && Object.keys(laptop).length > 0)
        throw new UsageError(
          `--config stands alone; leave out ${Object.keys(laptop)
            .map((name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
            .join(', ')}`,
        );
      const { config, ca } = file === undefined ? await laptopConfig(laptop) : { config: await readConfig(file), ca: undefined };
      const serving = await serve(config);
      const lifecycle = config.lifecycle && watchLifecycle(config.lifecycle, serving.drain);
      for (const { mode, host, port } of serving.listeners) remark(`listening ${mode} ${host} ${port}\n`);
      remark(`listening passive ${describe(serving.passivePorts)}\n`);
      if (serving.adminPort !== undefined) remark(`listening admin 127.0.0.1 ${serving.adminPort}\n`);
      for (const [part, state] of Object.entries(serving.parts)) remark(`${part} ${state}\n`);
      if (readyFile !== undefined) {
        const port = (wanted: string) => serving.listeners.find(({ mode }) => mode === wanted)?.port;
        const ports = {
          explicit: port('explicit'),
          implicit: port('implicit'),
          sftp: port('sftp'),
          https: port('https'),
          as2: port('as2'),
          as2Plain: port('as2-plain'),
          passive: serving.passivePorts,
        };
        await writeFile(readyFile, `${JSON.stringify({ pid: process.pid, ...ports, admin: serving.adminPort, ca })}\n`).catch(async (error) => {
          // Whoever started it waits for that file, and would wait for ever.
          serving.drain();
          await serving.ended;
          throw new Error(`--ready-file: ${readyFile} can't be written (${(error as NodeJS.ErrnoException).code})`);
        });
      }
      process.exitCode = await serving.ended;
      await lifecycle?.finish();
    });
}

function describe(ports: readonly number[]): string {
  const [first, last] = [ports[0], ports.at(-1)];
  return last !== undefined && first !== undefined && last - first === ports.length - 1 ? `${first}-${last}` : ports.join(' ');
}

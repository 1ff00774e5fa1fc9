/** `ftps config check` and `ftps config schema`. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { z } from 'zod';
import { ConfigError, checkServerConfig, type ServerConfig, serverConfigSchema } from '../../server/config';
import { say } from '../terminal/say';

/** Reads and checks a configuration file. Throws a ConfigError with everything that is wrong in it. */
export async function readConfig(file: string): Promise<ServerConfig> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError([{ key: file, message: `can't be read (${error.code})` }]);
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new ConfigError([{ key: file, message: `is no JSON: ${(error as Error).message}` }]);
  }
  return checkServerConfig(content);
}

export function configCommand(): Command {
  const config = new Command('config').description('Checks and describes configuration files.');
  config
    .command('check <file>')
    .description('Says everything that is wrong with a configuration file, or that it is in order.')
    .option('--json', 'print what is wrong as JSON')
    .action(async (file: string, { json }: { json?: boolean }) => {
      const { listeners, passive, sftp, https, as2 } = await readConfig(file).catch((error: unknown) => {
        if (json && error instanceof ConfigError) say(`${JSON.stringify({ file, problems: error.problems })}\n`);
        throw error;
      });
      if (json) say(`${JSON.stringify({ file, problems: [] })}\n`);
      else {
        const ports = [
          ...listeners,
          ...(sftp ? [{ mode: 'sftp', port: sftp.port }] : []),
          ...(https ? [{ mode: 'https', port: https.port }] : []),
          ...(as2?.port === undefined ? (as2 && https ? [{ mode: `as2 at ${as2.path} of`, port: https.port }] : []) : [{ mode: 'as2', port: as2.port }]),
          ...(as2?.plainPort === undefined ? [] : [{ mode: 'as2-plain', port: as2.plainPort }]),
        ].map(({ mode, port }) => `${mode} ${port}`);
        say(`${file} is in order: ${ports.join(', ')}, passive ${passive.ports}.\n`);
      }
    });
  config
    .command('schema')
    .description('Prints the JSON Schema of configuration files, for editors.')
    .action(() => {
      say(`${JSON.stringify(z.toJSONSchema(serverConfigSchema, { io: 'input', unrepresentable: 'any' }), undefined, 2)}\n`);
    });
  return config;
}

/** What strangers and accounts can do to everybody over SSH. How long, how many workers: attacked.ts. */
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Client } from 'ssh2';
import { fill, WORKERS, withstands } from './attacked';
import { PASSWORD, watched } from './watched';

withstands(
  'ssh-attacker.cjs',
  async () => {
    const server = await watched({ workers: WORKERS });
    fill(server);
    const client = new Client();
    client.connect({ host: '127.0.0.1', port: server.ports.sftp, username: 'demo', password: PASSWORD });
    await once(client, 'ready');
    const sftp = await promisify(client.sftp.bind(client))();
    return {
      server,
      port: server.ports.sftp,
      secret: PASSWORD,
      ask: () => promisify(sftp.stat.bind(sftp))('/small'),
      leave: () => client.end(),
    };
  },
  {
    p99: 1_000,
    memory: 300,
    wanted: ['names that are not there removed'],
    auditOfConnection: 0,
    thorough: ['files opened and never closed', 'key exchanges, the dearest'],
  },
);

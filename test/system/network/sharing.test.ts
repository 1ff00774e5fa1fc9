import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSIVE_PRESETS } from '../../../server/config';
import { PASSWORD, USER } from '../support/served';
import { FarServer, IMPLICIT, Script } from './far-server';
import { cable, Host } from './hosts';

interface Round {
  readonly transferring: number;
  readonly ports: number;
  readonly problems: readonly string[];
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe.each([
  { ports: '50000-50015', sessions: 500, size: 512 * 1024, rounds: ['down'], tls: 'TLSv1.3' },
  { ports: '50000-50015', sessions: 500, size: 512 * 1024, rounds: ['down'], tls: 'TLSv1.2' },
  { ports: PASSIVE_PRESETS.awsTransferFamily, sessions: 200, size: 300 * 1024, rounds: ['down', 'up', 'up', 'down'], tls: 'TLSv1.3' },
])('$sessions sessions of one address through ports $ports, $tls', ({ ports, sessions, size, rounds, tls }) => {
  let serverHost: Host;
  let client: Host;
  let server: FarServer;
  beforeAll(async () => {
    [serverHost, client] = await Promise.all([Host.create('server'), Host.create('client')]);
    await cable(serverHost, ['10.99.1.1/24'], client, ['10.99.1.2/24']);
    // Small buffers in the kernels, so that a file that nobody reads stays under way.
    await client.must('sysctl', '-qw', 'net.ipv4.tcp_rmem=4096 16384 32768');
    await serverHost.must('sysctl', '-qw', 'net.ipv4.tcp_wmem=4096 16384 65536');
    server = await FarServer.prepare(serverHost, ['10.99.1.1'], { passive: { ports } });
    await server.startFirewall();
    await server.startServer();
  });
  afterAll(async () => {
    await server?.stop();
    for (const host of [serverHost, client]) await host?.remove();
  });

  it('transfer at once, and the hash of every file is right', async () => {
    mkdirSync(join(server.folder, 'expected'));
    const files = Array.from({ length: sessions }, (_, index) => {
      const bytes = randomBytes(size);
      const path = join(server.files, `down-${index}`);
      writeFileSync(path, bytes);
      return { name: `down-${index}`, path, hash: sha256(bytes) };
    });
    const swarmFile = join(server.folder, 'swarm.json');
    writeFileSync(
      swarmFile,
      JSON.stringify({
        ...{ host: '10.99.1.1', port: IMPLICIT, user: USER, password: PASSWORD, ca: server.caPem, tls: { minVersion: tls, maxVersion: tls } },
        ...{ sessions, rounds, files },
      }),
    );
    const swarm = new Script(client, 'swarm.mjs', swarmFile);
    expect(await swarm.hear()).toEqual({ open: sessions });
    const width = Number(ports.split('-')[1]) - Number(ports.split('-')[0]) + 1;
    for (const _ of rounds) {
      const round = await swarm.ask<Round>('begin');
      expect(round).toEqual({ transferring: sessions, ports: width, problems: [] });
      expect((await server.health()).parts['transfers']).toBe(String(sessions));
      expect(await swarm.ask('move')).toEqual({ problems: [] });
    }
    if (rounds.includes('up')) for (const [index, { hash }] of files.entries()) expect(sha256(readFileSync(join(server.files, `up-${index}`)))).toBe(hash);
    await swarm.end();
    const refused = server.audit().filter(({ message }) => message.startsWith('Refused'));
    expect(refused).toEqual([]);
  });
});

/** Starts a server of the comparison in a control group of its own, and waits until it greets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Meter } from './meter';
import type { Peer } from './peers/peer';
import type { Workplace } from './workplace';

export interface Server {
  readonly peer: Peer;
  readonly port: number;
  /** Its settings, and what it writes that is not a file of a client. */
  readonly folder: string;
  readonly meter: Meter;
  stop(): Promise<void>;
}

/** Every start takes fresh ports: nothing else runs in this network namespace. */
let nextPort = 20_000;

export async function startServer(peer: Peer, place: Workplace): Promise<Server> {
  const ports = { control: nextPort, passive: nextPort + 1 };
  nextPort += 20;
  mkdirSync(join(place.folder, 'servers'), { recursive: true });
  const folder = mkdtempSync(join(place.folder, 'servers', `${peer.name.replaceAll(/\W/g, '-')}-`));
  const meter = Meter.create(`${ports.control}`);
  const { command, environment } = peer.launch(place, ports, folder);
  // vsftpd tells its errors on standard input, where inetd would have put a connection.
  const output = openSync(join(folder, 'output'), 'a+');
  const child = spawn('sh', ['-c', `${meter.enter} && ${command}`], { stdio: [output, output, output], env: { ...process.env, ...environment } });
  await greets(peer, ports.control, child, join(folder, 'output'));
  await settles(meter);
  return {
    peer,
    port: ports.control,
    folder,
    meter,
    async stop() {
      await meter.close();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** Waits until the start is over, so that its CPU time is not taken for a transfer's. */
async function settles(meter: Meter): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) {
    const before = meter.cpuSeconds();
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (meter.cpuSeconds() - before < 0.005) return;
  }
}

async function greets(peer: Peer, port: number, child: ChildProcess, output: string): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    if (child.exitCode !== null) throw new Error(`${peer.name} ended at its start: ${readFileSync(output, 'utf8')}`);
    const greeted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      if (peer.speaksFirst === false) socket.once('connect', () => socket.end(() => resolve(true)));
      socket
        .once('data', () => resolve(true))
        .once('error', () => resolve(false))
        .once('close', () => resolve(false));
      socket.once('data', () => socket.end('QUIT\r\n'));
    });
    if (greeted) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${peer.name} does not greet on port ${port}: ${readFileSync(output, 'utf8')}`);
}

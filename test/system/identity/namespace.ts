/** A network namespace of a test's own, in which daemons have their well-known ports, and doors into it on free loopback ports. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** Runs inside: hands connections of a Unix socket to a port. Unix sockets are not part of a network namespace. */
const DOOR = `const { createServer, connect } = require('node:net');
const [path, port] = process.argv.slice(1);
createServer((from) => {
  const to = connect(Number(port), '127.0.0.1');
  from.on('error', () => to.destroy()).on('close', () => to.destroy());
  to.on('error', () => from.destroy()).on('close', () => from.destroy());
  from.pipe(to).pipe(from);
}).listen(path, () => console.log('open'));`;

export class Namespace {
  private readonly doors: { readonly child: ChildProcess; readonly server: Server; readonly sockets: Set<Socket> }[] = [];

  private constructor(
    readonly name: string,
    private readonly folder: string,
  ) {}

  static create(folder: string): Namespace {
    const name = `ftps-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
    execFileSync('ip', ['netns', 'add', name]);
    execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    return new Namespace(name, folder);
  }

  spawn(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.name, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  }

  /** A loopback port outside that leads to a port inside. */
  async door(port: number): Promise<number> {
    const path = join(this.folder, `door-${port}-${this.doors.length}`);
    const child = this.spawn(process.execPath, ['-e', DOOR, path, String(port)]);
    await once(child.stdout!, 'data');
    const sockets = new Set<Socket>();
    const server = createServer((from) => {
      const to = connect(path);
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        sockets.add(one);
        one
          .on('error', () => other.destroy())
          .on('close', () => {
            sockets.delete(one);
            other.destroy();
          });
      }
      from.pipe(to).pipe(from);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.doors.push({ child, server, sockets });
    return (server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    for (const { child, server, sockets } of this.doors) {
      for (const socket of sockets) socket.destroy();
      server.close();
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

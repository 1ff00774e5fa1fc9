/** Hosts in network namespaces, joined by cables: a network of our own with real second and third hosts. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Ran, run } from '../support/served';

async function must(program: string, ...args: string[]): Promise<string> {
  const { code, output } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}`);
  return output;
}

export class Host {
  private readonly started: ChildProcess[] = [];

  private constructor(
    readonly name: string,
    readonly namespace: string,
  ) {}

  static async create(name: string): Promise<Host> {
    const host = new Host(name, `ftps-${process.pid}-${name}`);
    await must('ip', 'netns', 'add', host.namespace);
    await host.must('ip', 'link', 'set', 'lo', 'up');
    return host;
  }

  /** What `name` means on this host: its /etc/hosts. */
  knows(entries: Readonly<Record<string, string>>): void {
    mkdirSync(`/etc/netns/${this.namespace}`, { recursive: true });
    writeFileSync(
      `/etc/netns/${this.namespace}/hosts`,
      `127.0.0.1 localhost\n${Object.entries(entries)
        .map(([name, address]) => `${address} ${name}\n`)
        .join('')}`,
    );
  }

  /** Runs a program on this host to its end. */
  run(program: string, args: readonly string[], input?: string): Promise<Ran> {
    return run('ip', ['netns', 'exec', this.namespace, program, ...args], input);
  }

  async must(program: string, ...args: string[]): Promise<string> {
    return must('ip', 'netns', 'exec', this.namespace, program, ...args);
  }

  /** Loads nftables rules. */
  async nft(rules: string): Promise<void> {
    const { code, output } = await this.run('nft', ['-f', '-'], rules);
    if (code !== 0) throw new Error(output);
  }

  /** Starts a program that ends with this host at the latest. */
  start(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.namespace, program, ...args], options);
    this.started.push(child);
    return child;
  }

  async remove(): Promise<void> {
    for (const child of this.started) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    await must('ip', 'netns', 'delete', this.namespace);
    rmSync(`/etc/netns/${this.namespace}`, { recursive: true, force: true });
  }
}

let cables = 0;

/** Joins two hosts by a cable, with these addresses at its ends. */
export async function cable(one: Host, oneAddresses: readonly string[], other: Host, otherAddresses: readonly string[]): Promise<void> {
  cables += 1;
  const [a, b] = [`c${cables}${one.name}`.slice(0, 15), `c${cables}${other.name}`.slice(0, 15)];
  await must('ip', 'link', 'add', a, 'netns', one.namespace, 'type', 'veth', 'peer', 'name', b, 'netns', other.namespace);
  for (const [host, end, addresses] of [
    [one, a, oneAddresses],
    [other, b, otherAddresses],
  ] as const) {
    for (const address of addresses) await host.must('ip', 'address', 'add', address, 'dev', end, ...(address.includes(':') ? ['nodad'] : []));
    await host.must('ip', 'link', 'set', end, 'up');
  }
}

/** `npm run trial -- --host ftps.sandbox.example.com --zone-id Z… --zone-name sandbox.example.com --clients 203.0.113.7/32` */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'basic-ftp';
import { Command } from 'commander';
import { say } from '../terminal/say';
import { trial } from './trial';
import type { Door, Ran, World } from './world';

const root = join(__dirname, '../..');
const PROGRAMS = { cdk: 'node_modules/aws-cdk/bin/cdk', ftps: 'dist/image/ftps.js' } as const;

function run(program: keyof typeof PROGRAMS, args: readonly string[], { input = '' } = {}): Promise<Ran> {
  const child = spawn(process.execPath, ['--no-warnings', join(root, PROGRAMS[program]), ...args], {
    cwd: root,
    env: process.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(input);
  const chunks: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  return new Promise((resolve, reject) => child.on('error', reject).on('close', (code) => resolve({ code: code ?? 1, output: chunks.join('') })));
}

/** One file up and down again, over each mode, with a client library. */
export async function transfer({ host, user, password }: Door, more: { readonly ca?: string; readonly ports?: readonly [number, number] } = {}): Promise<void> {
  const [explicit, implicit] = more.ports ?? [21, 990];
  for (const [secure, port] of [[true, explicit] as const, ['implicit', implicit] as const]) {
    const client = new Client(60_000);
    try {
      await client.access({ host, port, user, password, secure, secureOptions: { ca: more.ca, host } });
      const sent = randomBytes(3_000_000);
      await client.uploadFrom(Readable.from([sent]), 'trial.bin');
      const received: Buffer[] = [];
      await client.downloadTo(new Writable({ write: (chunk, _, done) => done(void received.push(chunk)) }), 'trial.bin');
      await client.remove('trial.bin');
      const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
      if (hash(sent) !== hash(Buffer.concat(received))) throw new Error(`port ${port}: what came back is not what was sent`);
    } finally {
      client.close();
    }
  }
}

async function doctor({ host, user, password }: Door, folder: string): Promise<Ran> {
  const file = join(folder, 'password');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return run('ftps', ['doctor', host, '--user', user, '--password-file', file, '--passive-ports', '50000-50015']);
}

async function main(): Promise<void> {
  const command = new Command('npm run trial --')
    .description(
      'Tries the kit in a sandbox account: preflight, deployment, transfers, doctor, patched image, rotation, deletion, what is left. Asks before it spends.',
    )
    .requiredOption('--host <name>', 'host name, in a public zone of the account, that nobody uses')
    .requiredOption('--zone-id <id>', 'id of that hosted zone')
    .requiredOption('--zone-name <name>', 'its name')
    .requiredOption('--clients <cidrs>', 'network that you try it from, in CIDR form; several with commas')
    .option('--name <name>', 'throw-away name of the environment', `trial-${randomBytes(2).toString('hex')}`)
    .option('--yes', 'do not ask')
    .parse();
  const { host, zoneId, zoneName, clients, name, yes } = command.opts();
  const folder = join(root, '.trial', name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  Object.assign(process.env, { TRIAL_NAME: name, TRIAL_HOST: host, TRIAL_ZONE_ID: zoneId, TRIAL_ZONE_NAME: zoneName, TRIAL_CLIENTS: clients });
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const world: World = {
    run,
    transfer: (door) => transfer(door),
    doctor: (door) => doctor(door, folder),
    ask: (question) => terminal.question(question),
    say: (text) => say(`${text}\n`),
    pause: (milliseconds) => pause(milliseconds),
  };
  const report = await trial({ name, host, zoneId, assembly: join(folder, 'cdk.out'), yes }, world).finally(() => terminal.close());
  const file = join(folder, 'report.json');
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
  say(`${report.steps.filter(({ passed }) => passed).length} of ${report.steps.length} steps passed; ${file}\n`);
  if (report.steps.some(({ passed }) => !passed)) process.exitCode = 1;
}

if (require.main === module) void main();

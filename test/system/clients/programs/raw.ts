/** Commands typed into `openssl s_client`, as an engineer does who looks for the reason of something. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, everything, type Step, type Target, versionOf } from './client';

const sessionFile = ({ folder }: Target) => join(folder, 'session.pem');

const openssl = {
  control: (target: Target) => [
    ...['openssl', 's_client', '-quiet', '-connect', `${target.host}:${target.port}`, '-CAfile', target.ca, '-verify_return_error'],
    ...[target.version === '1.2' ? '-tls1_2' : '-tls1_3', '-sess_out', sessionFile(target), ...(target.mode === 'explicit' ? ['-starttls', 'ftp'] : [])],
  ],
  receive: (target: Target, port: number): readonly string[] => [
    ...['openssl', 's_client', '-quiet', '-connect', `${target.host}:${port}`, '-CAfile', target.ca, '-verify_return_error'],
    ...[target.version === '1.2' ? '-tls1_2' : '-tls1_3', '-sess_in', sessionFile(target)],
  ],
  send: (target: Target, port: number): readonly string[] => [...openssl.receive(target, port), '-no_ign_eof'],
};

/** The control connection: lines in, whole replies out. */
class Typing {
  private text = '';
  private errors = '';
  private readonly program: ChildProcess;

  constructor([program, ...args]: readonly string[]) {
    this.program = spawn(program!, args, { stdio: 'pipe' });
    this.program.stdin?.on('error', () => {});
    this.program.stdout?.on('data', (chunk) => {
      this.text += chunk;
    });
    this.program.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
  }

  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:(\d{3})-[\s\S]*?\r\n\1 [^\r\n]*|\d{3} [^\r\n]*)\r\n/.exec(this.text);
      if (match) {
        this.text = this.text.slice(match[0].length);
        return match[0].trimEnd();
      }
      if (this.program.exitCode !== null) throw new Error(`the control connection ended: ${this.text}${this.errors}`);
      await Promise.race([once(this.program.stdout!, 'data'), once(this.program, 'close')]);
    }
  }

  /** Sends a command; throws unless the reply begins as expected. */
  async say(command: string, expected: string): Promise<string> {
    this.program.stdin?.write(`${command}\r\n`);
    const reply = await this.reply();
    if (!reply.startsWith(expected)) throw new Error(`${command.split(' ', 1)[0]}: ${reply}`);
    return reply;
  }

  async end(): Promise<void> {
    if (this.program.exitCode !== null) return;
    const closed = once(this.program, 'close');
    this.program.kill();
    await closed;
  }
}

/** A data connection that sends a buffer, or writes what comes to a file or back. */
async function transfer([program, ...args]: readonly string[], { input, file }: { input?: Buffer; file?: number }): Promise<string> {
  const child = spawn(program!, args, { stdio: [input ? 'pipe' : 'ignore', file ?? 'pipe', 'pipe'] });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  child.stderr?.resume();
  await once(child, 'close');
  return output;
}

async function perform(control: Typing, target: Target, [name, first, second = '']: Step): Promise<string> {
  const move = async (command: string, start: (port: number) => readonly string[], ends: { input?: Buffer; file?: number }) => {
    const port = Number(/\|\|\|(\d+)\|/.exec(await control.say('EPSV', '229'))?.[1]);
    const moving = transfer(start(port), ends);
    await control.say(command, '150');
    const output = await moving;
    const reply = await control.reply();
    if (!reply.startsWith('226')) throw new Error(`${command}: ${reply}`);
    return output;
  };
  const send = (command: string, input: Buffer) => move(command, (port) => openssl.send(target, port), { input });
  const receive = async (command: string, path: string, flags: 'w' | 'a') => {
    const file = openSync(path, flags);
    await move(command, (port) => openssl.receive(target, port), { file });
    closeSync(file);
  };
  switch (name) {
    case 'make-folder':
      await control.say(`MKD ${first}`, '257');
      break;
    case 'list':
      return move(`LIST ${first}`, (port) => openssl.receive(target, port), {});
    case 'upload':
      await send(`STOR ${second}`, readFileSync(first));
      break;
    case 'download':
      await receive(`RETR ${first}`, second, 'w');
      break;
    case 'resume-download':
      await control.say(`REST ${statSync(second).size}`, '350');
      await receive(`RETR ${first}`, second, 'a');
      break;
    case 'resume-upload': {
      const there = Number((await control.say(`SIZE ${second}`, '213')).slice(4));
      await control.say(`REST ${there}`, '350');
      await send(`STOR ${second}`, readFileSync(first).subarray(there));
      break;
    }
    case 'rename':
      await control.say(`RNFR ${first}`, '350');
      await control.say(`RNTO ${second}`, '250');
      break;
    case 'delete':
      await control.say(`DELE ${first}`, '250');
      break;
  }
  return '';
}

export const opensslClient: Client = {
  name: 'openssl s_client, typed',
  remark: '`-sess_out` on the control connection, `-sess_in` on the data connection.',
  version: () => versionOf('openssl', 'version'),
  can: everything,
  cannot: [],
  async run(target, steps) {
    const control = new Typing(openssl.control(target));
    try {
      if (target.mode === 'implicit') await control.reply();
      await control.say(`USER ${target.user}`, '331');
      await control.say(`PASS ${target.password}`, '230');
      await control.say('PBSZ 0', '200');
      await control.say('PROT P', '200');
      await control.say('TYPE I', '200');
      let output = '';
      for (const step of steps) output += await perform(control, target, step);
      await control.say('QUIT', '221');
      return { code: 0, output };
    } catch (error) {
      return { code: 1, output: (error as Error).message };
    } finally {
      await control.end();
    }
  },
};

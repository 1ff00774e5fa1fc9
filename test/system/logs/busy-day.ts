/** A day in the life of the built server, in seconds: partners who transfer, and everything that alarms are for. What was done is counted. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { Client } from 'basic-ftp';
import { hashPassword } from '../../../server/identity/password';
import { TestAuthority } from '../../server/support/authority';
import { ClamdPeer } from '../../server/support/clamd';
import { BUNDLE } from '../support/served';

const PASSWORD = 'a partner of long standing';

export interface Done {
  readonly file: string;
  readonly lines: string[];
  readonly sessions: number;
  readonly uploadedBytes: number;
}

export async function busyDay(folder: string): Promise<Done> {
  const authority = await TestAuthority.create();
  const { certificate, key } = await authority.issue();
  const scanner = await ClamdPeer.listen();
  const path = (name: string) => join(folder, name);
  writeFileSync(path('server.pem'), certificate);
  writeFileSync(path('server.key'), key);
  const passwordHash = await hashPassword(PASSWORD);
  writeFileSync(path('accounts.json'), JSON.stringify({ accounts: ['partner', 'other', 'victim'].map((user) => ({ user, passwordHash })) }));
  mkdirSync(path('files'));
  writeFileSync(path('files/large.bin'), Buffer.alloc(64 * 1024 * 1024));
  const config = {
    listeners: ['explicit', 'implicit'].map((mode) => ({ mode, host: '127.0.0.1', port: 0 })),
    passive: { ports: 'any:4' },
    tls: { certificates: [{ kind: 'file', certificate: path('server.pem'), key: path('server.key') }] },
    storage: { kind: 'local', root: path('files') },
    identity: [{ kind: 'file', file: path('accounts.json') }],
    antivirus: { kind: 'clamd', socket: scanner.path },
    limits: { drainSeconds: 1, loginAttempts: 10, lockout: { failuresPerAccount: 4 } },
    audit: { destination: path('audit.json'), heartbeatSeconds: 0.2 },
  };
  writeFileSync(path('server.json'), JSON.stringify(config));
  const server = spawn(process.execPath, [BUNDLE, 'serve', '--config', path('server.json'), '--ready-file', path('ready.json')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(server, 'exit');
  const clients: Client[] = [];
  try {
    const ready = await Promise.race([written(folder, 'ready.json'), exited.then(() => Promise.reject(new Error('the server did not start')))]);

    let sessions = 0;
    let uploadedBytes = 0;
    const client = async (user: string, mode: 'explicit' | 'implicit') => {
      sessions += 1;
      const one = new Client(20_000);
      clients.push(one);
      const secure = mode === 'implicit' ? 'implicit' : true;
      await one.access({ host: 'localhost', port: ready[mode], user, password: PASSWORD, secure, secureOptions: { ca: authority.pem, host: 'localhost' } });
      return one;
    };
    const upload = async (one: Client, name: string, content: Buffer) => {
      uploadedBytes += content.length;
      await one.uploadFrom(Readable.from([content]), name);
    };
    const download = (one: Client, name: string) => one.downloadTo(new Writable({ write: (_chunk, _encoding, done) => done() }), name);

    // Two partners transfer.
    const partner = await client('partner', 'explicit');
    await upload(partner, 'a.csv', Buffer.alloc(10_000, 'a'));
    await upload(partner, 'b.csv', Buffer.alloc(20_000, 'b'));
    await download(partner, 'a.csv');
    await download(partner, 'a.csv');
    await partner.rename('b.csv', 'c.csv');
    await partner.remove('c.csv');
    partner.close();
    const other = await client('other', 'implicit');
    await download(other, 'a.csv');
    other.close();

    // Malware, then a scanner that is gone.
    const careless = await client('partner', 'implicit');
    await expect(upload(careless, 'evil.bin', Buffer.from('EVIL'.repeat(25)))).rejects.toThrow(/^550/);
    await scanner.close();
    await expect(upload(careless, 'unlucky.bin', Buffer.alloc(500, 'u'))).rejects.toThrow(/^[45]\d\d/);
    careless.close();

    // Six wrong passwords, the last of which locks an account out; a password that would go in plain text.
    for (const [user, times] of [
      ['partner', 2],
      ['victim', 4],
    ] as const) {
      sessions += 1;
      const socket = connectTls({ port: ready.implicit, host: '127.0.0.1', ca: authority.pem, servername: 'localhost' });
      await reply(socket);
      for (let attempt = 0; attempt < times; attempt += 1) {
        socket.write(`USER ${user}\r\n`);
        await reply(socket);
        socket.write('PASS wrong\r\n');
        expect(await reply(socket)).toMatch(/^530/);
      }
      socket.end('QUIT\r\n');
      await closed(socket);
    }
    sessions += 1;
    const plain = connectTcp(ready.explicit, '127.0.0.1');
    await reply(plain);
    plain.write('USER partner\r\n');
    expect(await reply(plain)).toMatch(/^53[04]/);
    plain.end();
    await closed(plain);

    // Handshakes that fail: plain text at the door for TLS, and nothing in common.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      sessions += 1;
      const socket = connectTcp(ready.implicit, '127.0.0.1');
      socket.write('USER partner\r\n');
      await closed(socket);
    }
    for (let attempt = 0; attempt < 3; attempt += 1) {
      sessions += 1;
      const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'AES256-SHA256', rejectUnauthorized: false } as const;
      const socket = connectTls({ port: ready.implicit, host: '127.0.0.1', ...old });
      await once(socket, 'error');
    }

    // Strangers at a passive port.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const socket = connectTcp(ready.passive[0]!, '127.0.0.1');
      socket.write('GET / HTTP/1.0\r\n\r\n');
      await closed(socket);
    }

    // A download that doesn't end before the server has to.
    const slow = await client('partner', 'implicit');
    const begun = new Promise<void>((resolve) => {
      const sink = new Writable({ write: () => resolve() }); // takes the first piece and never asks for more
      slow.downloadTo(sink, 'large.bin').catch(() => {});
    });
    await begun;
    server.kill('SIGTERM');
    const [code] = await exited;
    if (code !== 0) throw new Error(`the server ended with ${code}`);
    return { file: path('audit.json'), lines: readFileSync(path('audit.json'), 'utf8').trimEnd().split('\n'), sessions, uploadedBytes };
  } finally {
    for (const one of clients) one.close();
    server.kill('SIGKILL');
    await exited;
  }
}

function closed(socket: Socket): Promise<unknown> {
  return new Promise((resolve) =>
    socket
      .on('error', () => {})
      .on('close', resolve)
      .resume(),
  );
}

/** The next reply of one line, or the last line of several. */
async function reply(socket: Socket): Promise<string> {
  let text = '';
  for (;;) {
    const last = /^\d{3} .*\r\n$/m.exec(text);
    if (last) return last[0];
    const [chunk] = await once(socket, 'data', { signal: AbortSignal.timeout(20_000) });
    text += chunk;
  }
}

interface Ready {
  readonly explicit: number;
  readonly implicit: number;
  readonly passive: number[];
}

function written(folder: string, name: string): Promise<Ready> {
  return new Promise((resolve) => {
    const look = () => {
      try {
        const content = JSON.parse(readFileSync(join(folder, name), 'utf8'));
        watcher.close();
        resolve(content);
      } catch {
        // not there yet, or not whole yet: the watcher calls again
      }
    };
    const watcher = watch(folder, look);
    look();
  });
}

/** A folder for one test, gone after it. */
export async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'ftps-logs-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

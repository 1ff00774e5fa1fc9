// An FTPS client of few words, for hosts of the test's network.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** The server lets each wait for ten seconds before it says 425. */
const MOST_TRIES = 10;

export class FtpsClient {
  #text = '';
  #replies = [];
  #waiting = [];
  #ended = false;
  session;

  constructor({ host, port, user, password, ca, tls = {} }) {
    Object.assign(this, { host, port, user, password, tls: { ca, rejectUnauthorized: true, checkServerIdentity: () => undefined, ...tls } });
  }

  async open() {
    this.socket = connectTls({ host: this.host, port: this.port, ...this.tls });
    this.socket.on('session', (session) => {
      this.session = session;
    });
    this.socket.on('data', (chunk) => this.#hear(chunk.toString()));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.#ended = true;
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the control connection ended'));
    });
    await once(this.socket, 'secureConnect');
    await this.reply();
    await this.send(`USER ${this.user}`);
    return this.send(`PASS ${this.password}`);
  }

  send(line) {
    this.socket.write(`${line}\r\n`);
    return this.reply();
  }

  reply() {
    if (this.#replies.length > 0) return Promise.resolve(this.#replies.shift());
    if (this.#ended) return Promise.reject(new Error('the control connection ended'));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** A port, for which a busy machine may have to be asked more than once: 425 says to try again. */
  async epsv() {
    for (let tries = 1; ; tries += 1) {
      const reply = await this.send('EPSV');
      const port = /\|\|\|(\d+)\|/.exec(reply);
      if (port) return Number(port[1]);
      if (tries === MOST_TRIES || !reply.startsWith('425')) throw new Error(reply);
    }
  }

  /** An encrypted data connection that resumes the newest session. */
  async data(port, session = this.session) {
    return this.#encrypted(connectTls({ host: this.host, port, session, ...this.tls }));
  }

  /** Listens for the server's connection in active mode; `arrived` has its source port. */
  async listen() {
    const server = createServer();
    await once(server.listen(0), 'listening');
    const arrived = once(server, 'connection').then(async ([socket]) => {
      const from = socket.remotePort;
      const data = await this.#encrypted(connectTls({ socket, session: this.session, ...this.tls }));
      server.close();
      return { from, data };
    });
    return { port: server.address().port, arrived };
  }

  async #encrypted(socket) {
    socket.on('session', (session) => {
      this.session = session;
    });
    await once(socket, 'secureConnect');
    return socket;
  }

  close() {
    this.socket.destroy();
  }

  #hear(text) {
    this.#text += text;
    for (;;) {
      const reply = /^(?:(\d{3})-[\s\S]*?\r\n\1 [^\r\n]*|\d{3} [^\r\n]*)\r\n/.exec(this.#text)?.[0];
      if (reply === undefined) return;
      this.#text = this.#text.slice(reply.length);
      const waiting = this.#waiting.shift();
      if (waiting) waiting.resolve(reply.trimEnd());
      else this.#replies.push(reply.trimEnd());
    }
  }
}

export async function sha256(stream) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Lines of JSON from standard input. */
export async function* questions() {
  let rest = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

export function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/**
 * The one door to ftp-srv 4.6.3. It supplies the plain commands, with the connection object, the registry and the replies that they need; its server,
 * its sockets and its parser never run. Each internal relied on has a test in test/server/ftps/control/ftp-srv.test.ts, and the version is pinned.
 */
import { EventEmitter } from 'node:events';
import registry from 'ftp-srv/src/commands/registry';
import FtpConnection from 'ftp-srv/src/connection';

/** What the plain commands of ftp-srv ask of a file system; every path that reaches it is the argument as it was sent. */
export interface ShellFileSystem {
  currentDirectory(): string;
  chdir(path: string): Promise<string>;
}

/** A command that was parsed by us; ftp-srv's own parser would strip quotes and words that begin with a dash. */
export interface ShellCommand {
  readonly name: string;
  readonly argument: string;
}

export interface Shell {
  /** Runs a command of the registry. Fulfilled when it has replied. */
  handle(command: ShellCommand): Promise<void>;
  /** Lets the plain commands work on these files, from the login on. */
  useFileSystem(fileSystem: ShellFileSystem | undefined): void;
}

/** The silent logger that ftp-srv insists on. It is handed arguments of commands, so nothing of it is ever written. */
const silent = { child: () => silent, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** ftp-srv asks its server for options and events; there is no server. */
const noServer = Object.assign(new EventEmitter(), { options: {}, isTLS: true });

/** What no reply may carry, whoever wrote it: control characters that end no line (RFC 959 section 4.2). */
const UNPRINTABLE = /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)/g;

/** The line socket: replies are gathered here, and leave in one write when the session says so. */
class LineSocket extends EventEmitter {
  readonly writable = true;
  readonly destroyed = false;
  constructor(
    private readonly gather: (text: string) => void,
    private readonly end: () => void,
  ) {
    super();
  }

  write(text: string, _encoding: string, written: () => void): void {
    this.gather(text.replaceAll(UNPRINTABLE, '?'));
    written();
  }

  address(): { port: number } {
    return { port: 0 };
  }

  destroy(): void {
    this.end();
  }
}

/** What of a command the registry needs to know. */
export interface Registered {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Absent: ftp-srv's own handler. */
  readonly run?: unknown;
}

interface Connection {
  fs: ShellFileSystem | undefined;
  authenticated: boolean;
  commands: { handle(command: { directive: string; arg: string | null; flags: string[]; raw: string }): PromiseLike<void> };
}

/**
 * Leaves in ftp-srv's registry, which is one for the process, what has no `run` of ours: only our table decides what exists. Commands with one never
 * come here: each pass through ftp-srv makes a dozen promises of a library of its own.
 */
export function registerCommands(commands: readonly Registered[]): void {
  const plain = new Set(commands.flatMap(({ name, aliases = [], run }) => (run ? [] : [name, ...aliases])));
  for (const name of Object.keys(registry)) if (!plain.has(name)) delete registry[name];
  for (const name of plain) {
    const theirs = registry[name];
    if (!theirs?.handler) throw new Error(`ftp-srv has no handler for ${name}`);
    // Whether a command is allowed was decided by our state table before ftp-srv hears of it.
    registry[name] = { directive: name, handler: theirs.handler, flags: { no_auth: true } };
  }
}

/** Makes the shell of one session. `gather` is called with each line of a reply. */
export function openShell(options: { gather: (text: string) => void; end: () => void }): Shell {
  const socket = new LineSocket(options.gather, options.end);
  const connection = new FtpConnection(noServer, { socket, log: silent }) as unknown as Connection;
  return {
    async handle({ name, argument }) {
      await connection.commands.handle({ directive: name, arg: argument === '' ? null : argument, flags: [], raw: '' });
    },
    useFileSystem(fileSystem) {
      connection.fs = fileSystem;
      connection.authenticated = fileSystem !== undefined;
    },
  };
}

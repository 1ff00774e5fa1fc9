/**
 * What a test file finds around it. Jest would make a realm of its own for each, with globals of its own, in which nothing that was compiled for another
 * can be used: here all files of a process share its realm, which is what the server has as well, and what a file leaves in it is taken away behind it.
 * Its modules are its own all the same (runtime.cjs).
 *
 * Temporary files lie in a folder of the process, which is emptied after each test file: what the CDK synthesizes into without being told where, and
 * what a test leaves when it fails, would stay for good, gigabytes of it after some runs.
 */
const { chmodSync, mkdtempSync, readdirSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { ModernFakeTimers } = require('@jest/fake-timers');
const { ModuleMocker } = require('jest-mock');

const folder = mkdtempSync(join(tmpdir(), 'ftps-jest-'));
// Daemons that give up root find their files below it.
chmodSync(folder, 0o711);
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Frames in the stack of an error. Jest asks for a hundred, and each of them is looked up in the source maps wherever a stack is read. */
const FRAMES = 20;
/** Events of the process that servers listen to. */
const EVENTS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGWINCH', 'message', 'disconnect'];
/** Where the CDK is loaded once for all files, what it keeps in globals stays (kit-runtime.cjs). Elsewhere it would be that of another file's modules. */
const SHARES_CDK = /\/kit-runtime\.cjs$/;
/** By these the test framework keeps the state of a file. */
const FRAMEWORK = new Set(['JEST_STATE_SYMBOL', 'EVENT_HANDLERS', 'RETRY_TIMES_SETTER', 'TEST_TIMEOUT_SYMBOL', 'RETRY_TIMES']);

module.exports = class {
  constructor({ projectConfig }) {
    process.env.TMPDIR = folder;
    this.global = globalThis;
    this.restore = restorer(SHARES_CDK.test(projectConfig.runtime));
    this.moduleMocker = new ModuleMocker(globalThis);
    // Another object than the global one: the fake timers leave `node:timers` alone then.
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: new Proxy(globalThis, {}) });
  }

  async setup() {
    Error.stackTraceLimit = FRAMES;
  }

  async teardown() {
    this.fakeTimersModern?.dispose();
    this.fakeTimersModern = null;
    this.global = null;
    this.restore();
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 3 });
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  /** Undefined where there is none any more. */
  getVmContext() {
    return this.global ?? undefined;
  }
};

/** Brings the globals and the process back to what they are now; `keepsNew`: but for globals that come. */
function restorer(keepsNew) {
  const globals = Object.getOwnPropertyDescriptors(globalThis);
  const env = { ...process.env };
  const { exit, exitCode, argv, getBuiltinModule } = process;
  const listeners = new Map(EVENTS.map((event) => [event, new Set(process.rawListeners(event))]));
  return () => {
    for (const key of Reflect.ownKeys(globalThis))
      if (!Object.hasOwn(globals, key) && !(keepsNew && !FRAMEWORK.has(key.description))) Reflect.deleteProperty(globalThis, key);
    for (const key of Reflect.ownKeys(globals)) {
      const before = globals[key];
      if ('value' in before && Object.getOwnPropertyDescriptor(globalThis, key)?.value !== before.value) Object.defineProperty(globalThis, key, before);
    }
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    for (const [name, value] of Object.entries(env)) if (process.env[name] !== value) process.env[name] = value;
    Object.assign(process, { exit, exitCode, argv, ...(getBuiltinModule && { getBuiltinModule }) });
    for (const [event, before] of listeners)
      for (const listener of process.rawListeners(event)) if (!before.has(listener)) process.removeListener(event, listener);
  };
}

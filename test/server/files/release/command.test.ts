import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestServer, testServer } from '../../support/server';

let server: TestServer;
afterEach(() => server.close());

/** Appends what is in its environment, as a line of JSON, beside the file that came. */
const NOTE = `require('fs').appendFileSync(process.env.FTPS_FILE + '.note', JSON.stringify({ args: process.argv.slice(1), env: process.env }) + '\\n')`;

const withCommand = async (command: string[], more: Record<string, unknown> = {}) => {
  server = await testServer({ afterRelease: { command, ...more } });
  return server.client();
};

describe('the command after an upload', () => {
  it('knows the upload by its environment, reads nothing that a client chose, and holds no secret of the server', async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'not for you';
    const client = await withCommand([process.execPath, '-e', NOTE, '$(touch x)', '%s']);
    const name = 'a "b" $(touch owned); `id` & c';
    await client.uploadFrom(Readable.from('content'), name);
    await server.audit.next('after-release', ({ path }) => path === `/${name}`);
    delete process.env['AWS_SECRET_ACCESS_KEY'];
    const { args, env } = JSON.parse(await readFile(join(server.files, `${name}.note`), 'utf8'));
    expect(args).toEqual(['$(touch x)', '%s']);
    const { sha256, session } = await server.audit.next('transfer', ({ path }) => path === `/${name}`);
    expect(env).toEqual({
      PATH: process.env['PATH'],
      FTPS_USER: 'demo',
      FTPS_PATH: `/${name}`,
      FTPS_FILE: join(server.files, name),
      FTPS_BYTES: '7',
      FTPS_SHA256: sha256,
      FTPS_CLIENT: '127.0.0.1',
      FTPS_SESSION: session,
    });
    await expect(stat(join(server.files, 'owned'))).rejects.toThrow();
  });

  it('is started once for each upload that became visible, with the whole size of one that was appended to, and for no other', async () => {
    const client = await withCommand([process.execPath, '-e', NOTE], { commandsAtOnce: 1 });
    await client.uploadFrom(Readable.from('one'), 'file');
    await client.appendFrom(Readable.from(' two'), 'file');
    await expect(client.uploadFrom(Readable.from('x'), 'missing/file')).rejects.toMatchObject({ code: 550 });
    await client.uploadFrom(Readable.from('last'), 'last');
    await server.audit.next('after-release', ({ path }) => path === '/last');
    const notes = (await readFile(join(server.files, 'file.note'), 'utf8')).trim().split('\n');
    expect(notes.map((line) => JSON.parse(line).env.FTPS_BYTES)).toEqual(['3', '7']);
    expect(server.audit.of('after-release').map(({ path }) => path)).toEqual(['/file', '/file', '/last']);
  });

  it.each([
    ['is missing', ['/nonexistent/program'], /ENOENT/],
    ['fails', [process.execPath, '-e', 'process.exit(3)'], /exit code 3/],
    ['never ends', [process.execPath, '-e', 'setInterval(() => {}, 1000)'], /killed after 0.5 seconds/],
  ])('leaves the upload alone when it %s, and the audit says so', async (_name, command, reason) => {
    const client = await withCommand(command, { commandSeconds: 0.5 });
    expect((await client.uploadFrom(Readable.from('content'), 'file')).code).toBe(226);
    expect((await server.audit.next('after-release')).reason).toMatch(reason);
    expect(await readFile(join(server.files, 'file'), 'utf8')).toBe('content');
  });

  it('is waited for when the server goes down', async () => {
    const client = await withCommand([process.execPath, '-e', `setTimeout(() => { ${NOTE} }, 300)`]);
    await client.uploadFrom(Readable.from('content'), 'file');
    const { files } = server;
    client.close();
    await server.server.drain();
    expect(JSON.parse(await readFile(join(files, 'file.note'), 'utf8')).env.FTPS_PATH).toBe('/file');
  });
});

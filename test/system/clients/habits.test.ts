/** What clients do by themselves that old servers never saw: partial names that replace a file in the end, flags, hidden files; on a disk and in S3. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type S3Server, startS3 } from '../storage/servers';
import { logIn, type RestartableServer, serveRestartable } from '../support/restartable';
import { PASSWORD, USER } from '../support/served';
import type { Client, Step, Target } from './programs/client';
import { lftpScript } from './programs/lftp';
import { rclone } from './programs/rclone';
import { commonsNets } from './programs/scripts';

describe.each(['disk', 'S3'] as const)('files on %s', (place) => {
  let s3: S3Server | undefined;
  let bucket = '';
  let server: RestartableServer;
  beforeAll(async () => {
    if (place === 'S3') {
      s3 = await startS3('versitygw');
      bucket = await s3.newBucket();
    }
    const storage = s3 && ({ kind: 's3', bucket, endpoint: s3.endpoint, pathStyle: true, region: 'us-east-1' } as const);
    server = await serveRestartable(() => (storage ? { storage } : {}));
  });
  afterAll(async () => {
    expect(await server.stop()).toBe(0);
    await s3?.stop();
  });

  const target = (): Target => ({
    mode: 'explicit',
    version: '1.3',
    host: 'localhost',
    port: server.port,
    ca: server.ca,
    user: USER,
    password: PASSWORD,
    folder: server.folder,
  });

  async function perform(client: Client, ...steps: Step[]): Promise<string> {
    const { code, output } = await client.run(target(), steps);
    expect({ code, output }).toEqual({ code: 0, output });
    return output;
  }

  async function content(path: string): Promise<string> {
    const file = join(server.folder, 'fetched');
    const client = await logIn(server);
    await client.downloadTo(file, path);
    client.close();
    return readFileSync(file, 'utf8');
  }

  async function list(path: string): Promise<string[]> {
    const client = await logIn(server);
    const names = (await client.list(path)).map(({ name }) => name).sort();
    client.close();
    return names;
  }

  function local(name: string, text: string): string {
    const file = join(server.folder, name);
    writeFileSync(file, text);
    return file;
  }

  it('rclone copies a folder, and again when some of it has changed', async () => {
    const folder = join(server.folder, 'tree');
    mkdirSync(join(folder, 'below'), { recursive: true });
    for (const name of ['one', 'two', 'below/three']) writeFileSync(join(folder, name), `first ${name}`);
    const copy = () => rclone.copy(target(), folder, 'mirrored');
    expect(await copy()).toMatchObject({ code: 0 });
    writeFileSync(join(folder, 'one'), 'second and longer');
    writeFileSync(join(folder, 'below/three'), 'second, below');
    expect(await copy()).toMatchObject({ code: 0 });
    expect(await content('mirrored/one')).toBe('second and longer');
    expect(await content('mirrored/two')).toBe('first two');
    expect(await content('mirrored/below/three')).toBe('second, below');
    expect(await list('mirrored')).toEqual(['below', 'one', 'two']);
  });

  it('lftp uploads under temporary names, and moves onto what is there', async () => {
    const script = (...commands: string[]) => lftpScript(target(), commands);
    const file = local('report', 'first');
    const put = () => script('set xfer:use-temp-file yes', `put ${file} -o report`);
    expect(await put()).toMatchObject({ code: 0 });
    local('report', 'second');
    expect(await put()).toMatchObject({ code: 0 });
    expect(await content('report')).toBe('second');
    const other = local('other', 'third');
    expect(await script(`put ${other} -o other`, 'mv other report')).toMatchObject({ code: 0 });
    expect(await content('report')).toBe('third');
    const { output } = await script('nlist -1', 'nlist -a');
    expect(output).toContain('report');
  });

  it.each(commonsNets)('$name renames onto what is there, reads MLST, and lists with flags', async (client) => {
    const folder = client.name.replaceAll(/[^\w.]+/g, '-');
    await perform(
      client,
      ['make-folder', folder],
      ['upload', local('old', 'old'), `${folder}/report`],
      ['upload', local('new', 'new content'), `${folder}/.partial`],
      ['rename', `${folder}/.partial`, `${folder}/report`],
    );
    expect(await content(`${folder}/report`)).toBe('new content');
    const output = await perform(client, ['habits', `${folder}/report`]);
    expect(output).toContain('MLST report 11');
    expect(output).toContain(`NLST ${folder}/report`);
    expect(output).toContain('hidden report');
  });
});

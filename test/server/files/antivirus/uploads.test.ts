import { readdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { quarantineCommand } from '../../../../bin/commands/quarantine';
import { verifyChain } from '../../../../server/audit/chain';
import { auditLine } from '../../../../server/audit/schema';
import { ClamdPeer } from '../../support/clamd';
import { ocsfProblems } from '../../support/ocsf';
import { type TestServer, testServer } from '../../support/server';

let peer: ClamdPeer;
let server: TestServer;

beforeAll(async () => {
  peer = await ClamdPeer.listen();
  server = await testServer({ antivirus: { kind: 'clamd', socket: peer.path, maxBytes: 1_000_000 } });
});
afterAll(async () => {
  await server.close();
  await peer.close();
});

/** What the operator's command prints, its error included. */
async function ftps(...args: string[]): Promise<string> {
  let printed = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  const command = quarantineCommand();
  await command.parseAsync(args, { from: 'user' }).catch((error: Error) => {
    printed += error.message;
  });
  write.mockRestore();
  return printed;
}

describe('an upload that a scanner sees', () => {
  it('appears when it is clean, with the verdict in the audit', async () => {
    const client = await server.client();
    await client.uploadFrom(Readable.from('harmless'), 'good.txt');
    expect(await readFile(join(server.files, 'good.txt'), 'utf8')).toBe('harmless');
    expect((await server.audit.next('transfer', ({ path }) => path === '/good.txt')).verdict).toMatchObject({
      result: 'clean',
      engine: expect.stringMatching(/^ClamAV 1/),
    });
  });

  it('is refused with 550 when it is infected; the old file stays, and the new one can be listed, released and deleted by the operator', async () => {
    const client = await server.client();
    await client.uploadFrom(Readable.from('old'), 'report.txt');
    await expect(client.uploadFrom(Readable.from('so EVIL'), 'report.txt')).rejects.toMatchObject({ code: 550 });
    await expect(client.uploadFrom(Readable.from('EVIL too'), 'second.txt')).rejects.toMatchObject({ code: 550 });
    expect(await readFile(join(server.files, 'report.txt'), 'utf8')).toBe('old');
    expect((await client.list()).map(({ name }) => name)).not.toContain('second.txt');
    await expect(client.cd('.ftps-quarantine')).rejects.toMatchObject({ code: 550 });
    const { verdict, outcome, sha256 } = await server.audit.next('transfer', ({ path, outcome }) => path === '/report.txt' && outcome === 'failure');
    expect({ verdict, outcome }).toMatchObject({ outcome: 'failure', verdict: { result: 'infected', signature: 'Evil.Test' } });

    const [config, auditFile] = [join(server.folder, 'server.json'), join(server.folder, 'audit.json')];
    await writeFile(
      config,
      JSON.stringify({
        listeners: [{ mode: 'explicit', port: 0 }],
        tls: { certificates: [{ kind: 'file', certificate: 'c', key: 'k' }] },
        storage: { kind: 'local', root: server.files },
        identity: [{ kind: 'file', file: 'a' }],
        audit: { destination: auditFile },
      }),
    );
    const listed = JSON.parse(await ftps('list', '--config', config, '--json'));
    expect(listed).toMatchObject([
      { id: verdict!.quarantined, user: 'demo', home: '/', path: '/report.txt', size: 7, signature: 'Evil.Test', sha256, client: '127.0.0.1' },
      { path: '/second.txt' },
    ]);
    const [first, second] = listed.map(({ id }: { id: string }) => id);
    expect(await ftps('release', first, '--config', config)).toContain('The name is taken');
    expect(await ftps('release', second, '--config', config)).toContain('demo has /second.txt now');
    expect(await readFile(join(server.files, 'second.txt'), 'utf8')).toBe('EVIL too');
    expect(await ftps('delete', first, '--config', config)).toContain('is deleted');
    expect(await ftps('show', first, '--config', config)).toContain('No such file');
    expect(await ftps('list', '--config', config)).toContain('The quarantine is empty');
    expect(await readdir(join(server.files, '.ftps-quarantine'))).toEqual([]);

    const lines = (await readFile(auditFile, 'utf8')).trim().split('\n');
    const said = lines.map((line) => auditLine.parse(JSON.parse(line)));
    expect(said.flatMap((line) => ocsfProblems(line))).toEqual([]);
    expect(await verifyChain(lines)).toMatchObject({ lines: 3, chains: 3, open: 0, breaks: [] });
    const operator = expect.stringContaining(userInfo().username);
    expect(said.map(({ status, status_detail, unmapped }) => ({ status, status_detail, ...unmapped, chain: undefined }))).toMatchObject([
      { status: 'Failure', status_detail: 'released', operator, path: '/report.txt', reason: 'The name is taken.' },
      { status: 'Success', status_detail: 'released', operator, user: 'demo', home: '/', path: '/second.txt', bytes: 8 },
      { status: 'Success', status_detail: 'deleted', operator, sha256, verdict: { result: 'infected', signature: 'Evil.Test', quarantined: first } },
    ]);
  });

  it('is scanned together with what it is appended to', async () => {
    const client = await server.client();
    await client.uploadFrom(Readable.from('half: EV'), 'split.bin');
    await expect(client.appendFrom(Readable.from('IL'), 'split.bin')).rejects.toMatchObject({ code: 550 });
    expect(await readFile(join(server.files, 'split.bin'), 'utf8')).toBe('half: EV');
  });

  it('is refused with 552, which asks for no other try, when it is too large to be scanned', async () => {
    const client = await server.client();
    await expect(client.uploadFrom(Readable.from(Buffer.alloc(2_000_000)), 'large.bin')).rejects.toMatchObject({ code: 552 });
    expect((await server.audit.next('transfer', ({ path }) => path === '/large.bin')).verdict).toMatchObject({ result: 'too-large' });
    expect((await client.list()).map(({ name }) => name)).not.toContain('large.bin');
  });

  it('is refused with 451 while there is no verdict to be had, and the session goes on', async () => {
    const client = await server.client();
    const { answer } = peer;
    peer.answer = () => 'stream: broken ERROR';
    await expect(client.uploadFrom(Readable.from('harmless'), 'later.txt')).rejects.toMatchObject({ code: 451 });
    peer.answer = answer;
    await client.uploadFrom(Readable.from('harmless'), 'later.txt');
    expect(
      server.audit
        .of('health')
        .filter(({ part }) => part === 'scanner')
        .map(({ part, state }) => `${part} ${state}`),
    ).toEqual(['scanner up', 'scanner down', 'scanner up']);
  });
});

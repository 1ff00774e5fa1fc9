/** What the server says about itself is true for the session that asks. */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RawClient, readAll, type TestServer, testServer } from '../../support/server';

let server: TestServer;
beforeAll(async () => {
  // Nobody is waited for here: what is not heard runs into the time-out of the test.
  server = await testServer({ passive: { ports: 'any:4', connectSeconds: 120 } }, [{ user: 'demo' }, { user: 'operator', admin: true }]);
});
afterAll(() => server.close());

const linesOf = (reply: string) => reply.split('\r\n').slice(1, -1);
const features = async (raw: RawClient) => linesOf(await raw.send('FEAT')).map((line) => line.slice(1));

describe('FEAT', () => {
  it('has the form of RFC 2389: each feature on a line of its own behind one blank', async () => {
    const raw = await RawClient.explicit(server);
    await raw.reply();
    const reply = await raw.send('FEAT');
    expect(reply).toMatch(/^211-Features:\r\n( [A-Z0-9]\S*( \S+)?\r\n)+211 End$/);
    expect(await features(raw)).toEqual(
      expect.arrayContaining(['AUTH TLS;TLS-C;SSL;TLS-P;', 'PBSZ', 'PROT', 'UTF8', 'TVFS', 'LANG EN*', 'REST STREAM', 'HOST']),
    );
    raw.close();
  });

  it('marks the facts and the hash that were chosen', async () => {
    const raw = await RawClient.loggedIn(server);
    expect(await features(raw)).toEqual(expect.arrayContaining(['MLST type*;size*;modify*;perm*;unique*;', 'HASH SHA-256*;SHA-384;SHA-512']));
    expect(await raw.send('OPTS MLST type;size;unix.mode;')).toBe('200 MLST OPTS type;size;');
    expect(await raw.send('OPTS HASH SHA-512')).toBe('200 SHA-512');
    expect(await raw.send('OPTS HASH')).toBe('200 SHA-512');
    expect(await raw.send('OPTS HASH MD5')).toMatch(/^501 /);
    expect(await features(raw)).toEqual(expect.arrayContaining(['MLST type*;size*;modify;perm;unique;', 'HASH SHA-256;SHA-384;SHA-512*']));
    expect(await raw.send('OPTS MLST')).toBe('200 MLST OPTS');
    expect(await features(raw)).toContain('MLST type;size;modify;perm;unique;');
    expect(await raw.send('REIN')).toMatch(/^220 /);
    expect(await features(raw)).toEqual(expect.arrayContaining(['MLST type*;size*;modify*;perm*;unique*;', 'HASH SHA-256*;SHA-384;SHA-512']));
    raw.close();
  });

  it('announces only what will be done', async () => {
    const raw = await RawClient.loggedIn(server);
    expect(await features(raw)).not.toContain('EPRT'); // active mode is off
    expect(await features(raw)).toContain('PASV');
    await raw.send('EPSV ALL');
    expect(await features(raw)).not.toContain('PASV');
    raw.close();
    const active = await testServer({ active: { enabled: true }, listeners: [{ mode: 'implicit', host: '127.0.0.1', port: 0 }] });
    const client = await active.client('implicit');
    const announced = await client.features();
    expect(announced.has('EPRT')).toBe(true);
    expect(announced.has('AUTH')).toBe(false);
    await active.close();
  });

  it('names commands that exist', async () => {
    const raw = await RawClient.loggedIn(server);
    for (const feature of await features(raw)) {
      const [name = ''] = feature.split(' ');
      if (!['UTF8', 'TVFS'].includes(name)) expect(await raw.send(`HELP ${name}`)).toMatch(/^214 Syntax: /);
    }
    raw.close();
  });
});

describe('OPTS', () => {
  it.each([
    ['UTF8 ON', /^200 /],
    ['utf8 on', /^200 /],
    ['UTF8', /^200 /],
    ['UTF8 OFF', /^504 /],
    ['MLST SIZE;Type', /^200 MLST OPTS type;size;$/],
    ['XYZ', /^501 /],
  ])('%s', async (argument, reply) => {
    const raw = await RawClient.loggedIn(server);
    expect(await raw.send(`OPTS ${argument}`)).toMatch(reply);
    raw.close();
  });
});

describe('SITE', () => {
  it('WHO is for administrators, and for all others not there', async () => {
    const demo = await RawClient.loggedIn(server);
    expect(await demo.send('SITE WHO')).toMatch(/^504 /);
    expect(linesOf(await demo.send('SITE HELP'))).toEqual([' SITE HELP']);
    const port = await demo.epsv();
    demo.write('STOR busy.bin\r\n');
    await demo.reply();
    const data = await demo.data(server, port);
    const operator = await RawClient.loggedIn(server, {}, 'operator');
    expect(linesOf(await operator.send('SITE HELP'))).toEqual([' SITE HELP', ' SITE WHO']);
    const who = linesOf(await operator.send('SITE WHO'));
    expect(who.find((line) => line.startsWith(' demo 127.0.0.1 explicit since 20') && line.includes('STOR /busy.bin'))).toBeDefined();
    expect(who.find((line) => line.startsWith(' operator 127.0.0.1 explicit') && line.endsWith(' idle'))).toBeDefined();
    data.destroy();
    demo.close();
    operator.close();
  });

  it('refuses what the server decides itself, and keeps what may be a secret out of the audit', async () => {
    const raw = await RawClient.loggedIn(server);
    expect(await raw.send('SITE CHMOD 777 x')).toMatch(/^504 /);
    expect(await raw.send('SITE UTIME 20260101000000 x')).toMatch(/^504 .*MFMT/);
    expect(await raw.send('SITE PSWD hunter2 hunter3')).toMatch(/^504 /);
    expect(server.audit.of('command').map(({ argument }) => argument)).toContain('PSWD');
    expect(JSON.stringify(server.audit.events)).not.toContain('hunter');
    raw.close();
  });
});

describe('STAT', () => {
  it('says how far a transfer is while it runs, between other commands, and the transfer goes on', async () => {
    const raw = await RawClient.loggedIn(server);
    const port = await raw.epsv();
    raw.write('STOR stat.bin\r\n');
    await raw.reply();
    const data = await raw.data(server, port);
    data.write(Buffer.alloc(100_000));
    let reply: string;
    do reply = await raw.send('STAT');
    while (!reply.includes('STOR /stat.bin: 100000 bytes'));
    expect(reply).toMatch(/^211-Status\r\n Logged in as demo\r\n Encrypted by TLSv1.3 TLS_AES_256_GCM_SHA384\r\n STOR /);
    expect(await raw.send('NOOP')).toMatch(/^200 /);
    data.resume().end();
    expect(await raw.reply()).toMatch(/^226 /);
    expect(await raw.send('STAT')).toMatch(/No transfer is running/);
    raw.close();
  });

  it('lists a folder over the control connection, in the form of LIST', async () => {
    await mkdir(join(server.files, 'folder'));
    await writeFile(join(server.files, 'folder', '1 one'), 'x');
    await utimes(join(server.files, 'folder', '1 one'), 0, 0);
    const raw = await RawClient.loggedIn(server);
    expect(await raw.send('STAT folder')).toBe('212-Status of /folder\r\n-rw-r----- 1 ftp ftp            1 Jan  1  1970 1 one\r\n212 End.');
    expect(await raw.send('STAT folder/1 one')).toMatch(/^213-.*\r\n-rw-r----- .* 1 one\r\n213 End\.$/);
    expect(await raw.send('STAT nothing')).toMatch(/^550 /);
    raw.close();
  });

  it('stops where a folder is too large for the control connection', async () => {
    await mkdir(join(server.files, 'large'));
    await Promise.all(Array.from({ length: 1_100 }, (_, index) => writeFile(join(server.files, 'large', `${index}`), '')));
    const raw = await RawClient.loggedIn(server);
    const reply = await raw.send('STAT large');
    expect(linesOf(reply)).toHaveLength(1_000);
    expect(reply).toMatch(/There is more; send LIST\.$/);
    raw.close();
  });
});

describe('ABOR', () => {
  it.each([
    ['by itself', 'ABOR\r\n'],
    ['as Telnet IP and Synch', Buffer.from([255, 244, 255, 242, ...Buffer.from('ABOR\r\n')])],
    ['with the IAC of its Synch gone out of band', Buffer.from([255, 244, 242, ...Buffer.from('ABOR\r\n')])],
  ])('ends a download %s: 426, then 226, and the session goes on', async (_name, bytes) => {
    await writeFile(join(server.files, 'long.bin'), Buffer.alloc(8_000_000));
    const raw = await RawClient.loggedIn(server);
    const port = await raw.epsv();
    raw.write('RETR long.bin\r\n');
    expect(await raw.reply()).toMatch(/^150 /);
    const data = (await raw.data(server, port)).on('error', () => {});
    raw.write(bytes);
    expect(await raw.reply()).toMatch(/^426 /);
    expect(await raw.reply()).toMatch(/^226 /);
    data.destroy();
    expect(await raw.send('NOOP')).toMatch(/^200 /);
    const again = await raw.epsv();
    raw.write('NLST\r\n');
    await raw.reply();
    expect((await readAll(await raw.data(server, again))).toString()).toContain('long.bin');
    expect(await raw.reply()).toMatch(/^226 /);
    raw.close();
  });

  it('is heard when it was sent together with the transfer, before its data connection came', async () => {
    await writeFile(join(server.files, 'short.bin'), 'x');
    const raw = await RawClient.loggedIn(server);
    await raw.epsv();
    raw.write('RETR short.bin\r\nABOR\r\nPWD\r\n');
    expect(await raw.reply()).toMatch(/^150 /);
    expect(await raw.reply()).toMatch(/^426 /);
    expect(await raw.reply()).toMatch(/^226 /);
    expect(await raw.reply()).toMatch(/^257 /);
    raw.close();
  });
});

it('REIN forgets the account, the folder, PROT and a pending rename, and keeps the encryption', async () => {
  const raw = await RawClient.loggedIn(server);
  await raw.send('MKD inner');
  await raw.send('CWD inner');
  expect(await raw.send('REIN')).toMatch(/^220 /);
  expect(await raw.send('PWD')).toMatch(/^530 /);
  await raw.send('USER demo');
  expect(await raw.send('PASS wrong')).toMatch(/^530 /);
  await raw.send('USER operator');
  expect(await raw.send('PASS correct horse "battery" -x staple')).toMatch(/^230 /);
  expect(await raw.send('PWD')).toBe('257 "/"');
  await raw.epsv();
  expect(await raw.send('LIST')).toMatch(/^521 /);
  raw.close();
});

it('502 for commands of the standards that are not here, 500 for what is no command', async () => {
  const raw = await RawClient.loggedIn(server);
  for (const name of ['SMNT /', 'ADAT x', 'MIC x', 'CONF x', 'ENC x', 'LPSV', 'XCRC x', 'XMD5 x']) expect(await raw.send(name)).toMatch(/^502 /);
  for (const line of ['FOO', 'RETRx y', '123', 'réseau', ' NOOP', 'GET / HTTP/1.1']) expect(await raw.send(line)).toMatch(/^500 /);
  raw.close();
});

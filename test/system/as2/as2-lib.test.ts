/**
 * The built server and as2-lib, which Java programs and Peppol's access points were built with, as partners: messages both ways with every protection, both kinds of receipts, and each way in
 * which a message is refused.
 *
 * AS2_LIB_LARGEST  bytes of the largest message both ways, 16 MiB by default; as2-lib keeps messages in its memory
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { party } from '../../server/as2/served';
import { TestAuthority } from '../../server/support/authority';
import { freePort } from '../../server/support/free-port';
import { type ServedProcess, serveConfigured } from '../support/served';

const VERSION = '5.1.2';
const MIB = 1024 * 1024;
const LARGEST = Number(process.env['AS2_LIB_LARGEST'] ?? 16 * MIB);

/** How we send to it: a partner each. It takes the marks around a name with blanks in it (RFC 4130 section 6.2) for a part of the name: there are none in these. */
const SENT: Readonly<Record<string, object>> = {
  plain: { send: { sign: false, encrypt: false } },
  signed: { send: { encrypt: false } },
  'signed by SHA-512': { send: { sign: 'sha512', encrypt: false } },
  encrypted: { send: { sign: false, encrypt: 'aes-128-cbc' } },
  'signed and encrypted': {},
  'compressed before it is signed': { send: { compress: 'before-signing' } },
  'compressed after it is signed': { send: { compress: 'after-signing' } },
  'signed and encrypted, with an asynchronous receipt': { receipt: { kind: 'async' } },
  'signed and encrypted, with a receipt that is not signed': { receipt: { signed: false } },
};

let folder: string;
let server: ServedProcess;
let java: ChildProcess;
let ours: string;
let orders: number;
let spoiling: Server;
let spoiled: string;
const local = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-as2-lib-'));
  const authority = await TestAuthority.create();
  const tls = await authority.issue();
  const parties = await Promise.all(['us', 'them', 'strangers'].map(async (name) => [name, await party(name)] as const));
  const all = Object.fromEntries(parties);
  for (const [name, { certificate, key }] of Object.entries({ ...all, tls })) {
    writeFileSync(local(`${name}.pem`), certificate);
    writeFileSync(local(`${name}.key`), key);
  }
  writeFileSync(
    local('accounts.json'),
    JSON.stringify({
      accounts: [
        { user: 'them', clientCertificate: 'instead-of-password', home: '/them' },
        { user: 'small', clientCertificate: 'instead-of-password', home: '/small', quota: { bytes: 1000 } },
      ],
    }),
  );
  const [ourPort, theirPort, receiptPort, orderPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  orders = orderPort;
  ours = `http://127.0.0.1:${ourPort}/as2`;
  const them = {
    account: 'them',
    url: `http://127.0.0.1:${theirPort}/`,
    allowPlainHttp: true,
    receiptHosts: [`127.0.0.1:${receiptPort}`],
    certificates: [local('them.pem')],
    retry: { attempts: 3, firstSeconds: 0.2, longestSeconds: 1 },
  };
  const open = { ...them, require: { signed: false, encrypted: false }, digests: ['sha1', 'sha256', 'sha384', 'sha512'] };
  const toThem = (name: string, settings: object) => ({
    ...them,
    as2Id: `Them-${name.replaceAll(/[^\w]+/g, '-')}`,
    outbox: `/to/${name}`,
    failed: `/failed/${name}`,
    ...settings,
  });
  const partners = [
    { ...open, as2Id: 'Them', ciphers: ['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'aes-128-gcm', 'aes-256-gcm', 'des-ede3-cbc'], url: undefined },
    { ...them, as2Id: 'Them-strict', url: undefined },
    { ...open, as2Id: 'Them-small', account: 'small', url: undefined },
    ...Object.entries(SENT).map(([name, settings]) => toThem(name, settings)),
    toThem('for somebody else', { encryptionCertificate: local('strangers.pem') }),
    toThem('who distrusts us', {}),
  ];
  server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    workers: 1,
    tls: { certificates: [{ kind: 'file', certificate: local('tls.pem'), key: local('tls.key') }] },
    identity: [{ kind: 'file', file: local('accounts.json') }],
    as2: {
      host: '127.0.0.1',
      plainPort: ourPort,
      outboxSeconds: 0.2,
      identity: { as2Id: 'Us', url: ours, signing: { kind: 'file', certificate: local('us.pem'), key: local('us.key') } },
      partners,
    },
  });
  const jars = `${process.env['CDK_FTPS_CACHE']}/as2-lib-${VERSION}/*`;
  java = spawn('java', [
    '-Xmx2g',
    `-Dorg.slf4j.simpleLogger.defaultLogLevel=${process.env['AS2_LIB_LOG'] ?? 'off'}`,
    '-cp',
    jars,
    join(__dirname, 'As2Lib.java'),
    folder,
    ...[theirPort, receiptPort, orderPort].map(String),
    ...partners.map(({ as2Id }) => as2Id),
  ]);
  java.stderr!.pipe(process.stderr);
  await Promise.race([
    once(java.stdout!, 'data'),
    once(java, 'exit').then(() => {
      throw new Error('the partner did not start');
    }),
  ]);
  spoiling = await spoilingTowards(ourPort);
  spoiled = `http://127.0.0.1:${(spoiling.address() as { port: number }).port}/as2`;
}, 120_000);
afterAll(async () => {
  java?.kill();
  spoiling?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A way to us on which a byte of the message is changed: the one behind this word, or the one in the middle of what comes behind the first 4,000 bytes. */
const WORD = 'spoil-me';
async function spoilingTowards(port: number): Promise<Server> {
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    let seen = 0;
    let isDone = false;
    near.on('data', (bytes: Buffer) => {
      const word = bytes.indexOf(WORD);
      const at = word >= 0 ? word : seen + bytes.length > 6000 ? Math.max(0, 5000 - seen) : -1;
      if (at >= 0 && !isDone) {
        isDone = true;
        bytes[at]! ^= 1;
      }
      seen += bytes.length;
      far.write(bytes);
    });
    near.on('end', () => far.end()).on('error', () => far.destroy());
    far.pipe(near);
    far.on('error', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return proxy;
}

interface Told {
  readonly id: string;
  /** `match` where as2-lib found its own MIC in the receipt. */
  readonly mic: string;
  readonly disposition: string;
  readonly problem: string;
  readonly error?: string;
}
async function order(settings: Readonly<Record<string, string>>): Promise<Told> {
  const body = Object.entries({ url: ours, receipt: 'signed', ...settings })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
  const answer = await (await fetch(`http://127.0.0.1:${orders}/`, { method: 'POST', body })).text();
  return Object.fromEntries(
    answer
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  ) as unknown as Told;
}
const file = (name: string, content: Buffer) => {
  writeFileSync(local(name), content);
  return createHash('sha256').update(content).digest('hex');
};
const sumOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const nameOf = (what: string) => `${what.replaceAll(/[^\w]+/g, '-')}.bin`;
const until = async (what: () => boolean, seconds = 20) => {
  for (const end = Date.now() + seconds * 1000; !what(); await sleep(50))
    if (Date.now() > end)
      throw new Error(
        `it did not come to be; the last of the audit is ${JSON.stringify(
          server
            .audit()
            .slice(-4)
            .map(({ unmapped }) => unmapped),
        )}`,
      );
};

describe('as2-lib sends, and the MIC in our receipt is its own', () => {
  it.each<[string, Record<string, string>, string]>([
    ['plain', {}, ''],
    ['signed', { sign: 'sha-256' }, 'signed sha256'],
    ['signed by SHA-1', { sign: 'sha1', micalg: 'sha1' }, 'signed sha1'],
    ['signed by SHA-512', { sign: 'sha-512', micalg: 'sha-512' }, 'signed sha512'],
    ['encrypted', { encrypt: 'aes256-cbc' }, 'encrypted aes-256-cbc'],
    ['encrypted by 3DES', { encrypt: '3des' }, 'encrypted des-ede3-cbc'],
    ['signed and encrypted', { sign: 'sha-256', encrypt: 'aes256-cbc' }, 'encrypted aes-256-cbc, signed sha256'],
    // Alone and `before`, it has the MIC of what is compressed; RFC 5402 section 4.1 wants that of what was.
    ['compressed', { compress: 'after' }, 'compressed'],
    ['compressed and encrypted', { compress: 'after', encrypt: 'aes256-cbc' }, 'encrypted aes-256-cbc, compressed'],
    ['compressed before it is signed', { compress: 'before', sign: 'sha-256', encrypt: 'aes128-cbc' }, 'encrypted aes-128-cbc, signed sha256, compressed'],
    ['compressed after it is signed', { compress: 'after', sign: 'sha-256', encrypt: 'aes128-cbc' }, 'encrypted aes-128-cbc, compressed, signed sha256'],
    ['signed, with an asynchronous receipt', { sign: 'sha-256', encrypt: 'aes256-cbc', receipt: 'signed async' }, 'encrypted aes-256-cbc, signed sha256'],
    ['signed, with an asynchronous receipt that is not signed', { sign: 'sha-256', receipt: 'plain async' }, 'signed sha256'],
    ['signed, with a receipt that is not signed', { sign: 'sha-256', receipt: 'plain' }, 'signed sha256'],
  ])('what is %s', async (what, options, layers) => {
    for (const bytes of [1024, 200_000]) {
      const name = nameOf(`${what}-${bytes}`);
      const sum = file(name, randomBytes(bytes));
      const told = await order({ file: name, name, ...options });
      expect(told).toMatchObject({ problem: '', mic: 'match', disposition: expect.stringMatching(/; processed$/) });
      expect(sumOf(join(server.files, 'them/inbox', name))).toBe(sum);
      expect(message(told.id)).toMatchObject({ status: 'Success' });
      expect(JSON.stringify(message(told.id))).toContain(layers);
    }
  });

  it.each<[string, Record<string, string>]>([
    ['signed', {}],
    ['signed and encrypted', { encrypt: 'aes256-cbc' }],
    ['compressed, signed and encrypted', { encrypt: 'aes256-cbc', compress: 'before' }],
    ['signed and encrypted, with an asynchronous receipt', { encrypt: 'aes256-cbc', receipt: 'signed async' }],
  ])('several files in one message that is %s', async (what, options) => {
    const names = ['one', 'two', 'three'].map((number) => nameOf(`several-${number}-${what}`));
    const sums = names.map((name, index) => file(name, randomBytes(70_000 * (index + 1))));
    const told = await order({ file: names[0]!, name: names[0]!, further: names.slice(1).join(' '), sign: 'sha-256', ...options });
    expect(told).toMatchObject({ problem: '', mic: 'match', disposition: expect.stringMatching(/; processed$/) });
    expect(names.map((name) => sumOf(join(server.files, 'them/inbox', name)))).toEqual(sums);
  });

  it('nothing comes of a message without a receipt but the file', async () => {
    const sum = file('none.bin', randomBytes(5000));
    expect(await order({ file: 'none.bin', name: 'none.bin', sign: 'sha-256', receipt: 'none' })).toMatchObject({ problem: '', mic: 'none', disposition: '' });
    expect(sumOf(join(server.files, 'them/inbox/none.bin'))).toBe(sum);
  });

  it(`${LARGEST} bytes`, async () => {
    const sum = file('large.bin', randomBytes(LARGEST));
    expect(await order({ file: 'large.bin', name: 'large.bin', sign: 'sha-256', encrypt: 'aes256-cbc' })).toMatchObject({ problem: '', mic: 'match' });
    expect(sumOf(join(server.files, 'them/inbox/large.bin'))).toBe(sum);
  }, 600_000);
});

describe('as2-lib is told why its message is not taken', () => {
  it.each<[string, Record<string, string>, string]>([
    ['is encrypted for somebody else', { encrypt: 'aes256-cbc', recipient: 'strangers' }, 'processed/error: decryption-failed'],
    ['is signed by somebody else', { sign: 'sha-256', signer: 'strangers' }, 'processed/error: authentication-failed'],
    ['was changed on its way', { sign: 'sha-256', content: `${WORD} `.repeat(1000), spoiled: 'yes' }, 'processed/error: integrity-check-failed'],
    ['was changed on its way, encrypted', { sign: 'sha-256', encrypt: 'aes256-cbc', spoiled: 'yes' }, 'processed/error: integrity-check-failed'],
    ['is compressed and does not inflate', { compress: 'before', spoiled: 'yes' }, 'processed/error: decompression-failed'],
    ['is not signed', { from: 'Them-strict', encrypt: 'aes256-cbc' }, 'processed/error: insufficient-message-security'],
    ['is not encrypted', { from: 'Them-strict', sign: 'sha-256' }, 'processed/error: insufficient-message-security'],
    ['is encrypted by 3DES', { from: 'Them-strict', sign: 'sha-256', encrypt: '3des' }, 'processed/error: insufficient-message-security'],
    ['is signed by SHA-1', { from: 'Them-strict', sign: 'sha1', encrypt: 'aes256-cbc' }, 'failed/failure: unsupported MIC-algorithms'],
    ['wants a MIC that nobody makes', { sign: 'sha-256', micalg: 'md5' }, 'failed/failure: unsupported MIC-algorithms'],
    ['is encrypted by a cipher that is not known', { encrypt: 'cast5' }, 'failed/failure: unsupported format'],
    // It puts GCM into enveloped-data, where nothing says that it was not changed (RFC 5084 section 1 wants authEnveloped-data).
    ['is encrypted by GCM in what is not authenticated', { encrypt: 'aes256-gcm' }, 'failed/failure: unsupported format'],
    ['is for somebody else', { to: 'Nobody' }, 'processed/error: unknown-trading-partner'],
    ['is of nobody known', { from: 'Nobody' }, 'processed/error: unknown-trading-relationship'],
    ['is beyond the quota', { from: 'Them-small' }, 'processed/error: unexpected-processing-error'],
  ])('what %s', async (what, { spoiled: isSpoiled, content, ...options }, disposition) => {
    const name = nameOf(what);
    file(name, content === undefined ? randomBytes(20_000) : Buffer.from(content));
    const told = await order({ file: name, name, ...options, ...(isSpoiled ? { url: spoiled } : {}) });
    expect(told.disposition.toLowerCase()).toBe(`automatic-action/mdn-sent-automatically; ${disposition}`.toLowerCase());
    expect(told.mic).not.toBe('match');
    for (const inbox of ['them/inbox', 'small/inbox']) expect(existsSync(join(server.files, inbox, name))).toBe(false);
  });

  it('what has a Message-ID that another message had; what comes again is receipted and not delivered again', async () => {
    file('first.bin', randomBytes(3000));
    file('second.bin', randomBytes(3000));
    const send = (name: string) => order({ file: name, name, sign: 'sha-256', id: '<again@them>' });
    expect(await send('first.bin')).toMatchObject({ problem: '', mic: 'match' });
    expect(await send('first.bin')).toMatchObject({ problem: '', mic: 'match' });
    expect((await send('second.bin')).disposition).toContain('processed/error: duplicate-document');
    expect(readdirSync(join(server.files, 'them/inbox')).filter((name) => /^(first|second)/.test(name))).toEqual(['first.bin']);
  });

  it('what has us for its sender gets no receipt', async () => {
    file('self.bin', randomBytes(3000));
    expect(await order({ file: 'self.bin', name: 'self.bin', from: 'Us' })).toMatchObject({ problem: expect.stringContaining('Bad Request'), mic: 'none' });
  });
});

describe('as2-lib receives', () => {
  const put = (partner: string, name: string) => {
    mkdirSync(join(server.files, 'them/to', partner), { recursive: true });
    renameSync(local(name), join(server.files, 'them/to', partner, name));
  };

  it.each(Object.keys(SENT))('what is %s, and its receipt moves the file', async (what) => {
    for (const bytes of [1024, 200_000]) {
      const name = nameOf(`to-${what}-${bytes}`);
      const sum = file(name, randomBytes(bytes));
      put(what, name);
      await until(() => existsSync(join(server.files, 'them/sent', name)));
      expect(sumOf(local(`taken/${name}`))).toBe(sum);
      const facts = readFileSync(local(`taken/${name}.facts`), 'utf8');
      expect(facts).toContain(`signed=${/signed/.test(what)} encrypted=${/encrypted|compressed/.test(what)} compressed=${/compressed/.test(what)}`);
      expect(facts.trim().split('\n')).toHaveLength(1);
    }
  });

  it.each(Object.keys(SENT))('a folder as one message that is %s, and its receipt moves all of it', async (what) => {
    const folder = nameOf(`folder-${what}`).replace('.bin', '');
    const names = ['one', 'two', 'three'].map((number) => nameOf(`to-${number}-${what}`));
    const sums = names.map((name, index) => file(name, randomBytes(index * 90_000 + 10)));
    const place = join(server.files, 'them/to', what, folder);
    mkdirSync(place, { recursive: true });
    for (const name of names) renameSync(local(name), join(place, name));
    writeFileSync(join(place, '.list'), `${names.join('\n')}\n`);
    renameSync(join(place, '.list'), join(place, 'send.txt'));
    await until(() => existsSync(join(server.files, 'them/sent', folder)));
    expect(readdirSync(join(server.files, 'them/sent', folder)).sort()).toEqual([...names, 'send.txt'].sort());
    expect(names.map((name) => sumOf(local(`taken/${name}`)))).toEqual(sums);
    const facts = readFileSync(local(`taken/${names.join('+')}.facts`), 'utf8');
    expect(facts).toContain(`signed=${/signed/.test(what)} encrypted=${/encrypted|compressed/.test(what)} compressed=${/compressed/.test(what)}`);
    expect(facts.trim().split('\n')).toHaveLength(1);
  });

  it(`${LARGEST} bytes`, async () => {
    const sum = file('to-large.bin', randomBytes(LARGEST));
    put('signed and encrypted', 'to-large.bin');
    await until(() => existsSync(join(server.files, 'them/sent/to-large.bin')), 300);
    expect(sumOf(local('taken/to-large.bin'))).toBe(sum);
  }, 400_000);

  it.each([
    ['for somebody else', 'decryption-failed'],
    // Its word for a signature that is not by whom it expects.
    ['who distrusts us', 'integrity-check-failed'],
  ])('nothing of what is sent %s, and the file is among what failed', async (what, disposition) => {
    const name = nameOf(what);
    file(name, randomBytes(5000));
    put(what, name);
    await until(() => existsSync(join(server.files, 'them/failed', what, name)));
    const told = server.audit().filter((line) => line.unmapped?.event === 'as2-delivery' && JSON.stringify(line).includes(name));
    expect(told).toHaveLength(1);
    expect(JSON.stringify(told)).toContain(disposition);
    expect(existsSync(local(`taken/${name}`))).toBe(false);
  });
});

/** What the audit says of a message that came. */
function message(id: string) {
  return server.audit().find((line) => line.unmapped?.event === 'as2-message' && JSON.stringify(line).includes(JSON.stringify(id).slice(1, -1)));
}

/** Two servers of ours as partners of each other, and a partner in the test's own hands: signed, encrypted, receipted. */
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { join } from 'node:path';
import { type SealOptions, sealMessage, writeReceipt } from '../../../server/as2/message';
import { freePort } from '../support/free-port';
import { RawClient } from '../support/server';
import { type As2Served, as2Served, asking, type PartnerInput, type Party, PLAIN, party, receiptIn, send } from './served';

let us: Party;
let them: Party;
let strangers: Party;
beforeAll(async () => {
  [us, them, strangers] = await Promise.all([party('us'), party('them'), party('strangers')]);
});

const CONTENT = "UNB+UNOC:3+THEM+US'\r\n".repeat(500);

/** What the partner sends. */
async function sealed(id: string, options: Partial<SealOptions>, name = 'order.edi') {
  async function* body() {
    yield Buffer.from(CONTENT);
  }
  const message = sealMessage([{ name, contentType: 'application/edifact', body: body(), size: CONTENT.length }], { messageId: id, ...options });
  const chunks: Buffer[] = [];
  for await (const chunk of message.body) chunks.push(chunk);
  return { headers: message.headers as Record<string, string>, body: Buffer.concat(chunks), mic: (await message.mics)[0]! };
}

const signedReceipt = { 'Disposition-Notification-Options': 'signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=optional, sha-256' };

describe('messages that have to be signed and encrypted', () => {
  let server: As2Served;
  beforeAll(async () => {
    server = await as2Served(us, { partners: [{ as2Id: 'Them', account: 'demo', certificates: [them.certificate] }] });
  });
  afterAll(() => server?.close());
  const both = (): Partial<SealOptions> => ({ sign: { by: them.pair, digest: 'sha256' }, encrypt: { for: [us.pair.certificate], cipher: 'aes-256-cbc' } });
  const deliver = async (id: string, options: Partial<SealOptions>, spoil: (body: Buffer) => Buffer = (body) => body) => {
    const { headers, body, mic } = await sealed(id, options, `${id.slice(1, id.indexOf('@'))}.edi`);
    const { 'Content-Length': _, ...rest } = headers;
    const answer = await send(server.as2Port, { ...asking(id, signedReceipt), ...rest }, spoil(body));
    return { answer, mic, opened: await receiptIn(answer, us) };
  };

  it('one that is signed by somebody else is told as that of a stranger, and one of the partner as the partner’s', async () => {
    await deliver('<of-strangers@them>', { ...both(), sign: { by: strangers.pair, digest: 'sha256' } });
    await deliver('<of-them@them>', both());
    const told = [...server.audit.of('as2-message'), ...server.audit.of('transfer')].filter(({ protocol }) => protocol === 'as2');
    const of = (fits: RegExp) => new Set(told.filter((one) => fits.test(JSON.stringify(one))).map(({ isUnproven }) => isUnproven));
    expect([of(/of-strangers/), of(/of-them/)]).toEqual([new Set([true]), new Set([false])]);
  });

  it('one is taken, with a signed receipt that has its MIC', async () => {
    const { opened, mic } = await deliver('<both@them>', both());
    expect(opened).toMatchObject({
      signed: true,
      receipt: { processed: true, originalMessageId: '<both@them>', mic: { value: mic.value, algorithm: 'sha256' } },
    });
    expect(await server.content('inbox/both.edi')).toBe(CONTENT);
    expect(server.audit.of('as2-message').at(-1)).toMatchObject({ layers: 'encrypted aes-256-cbc, signed sha256', outcome: 'success' });
  });

  it.each<[string, () => Partial<SealOptions>, string]>([
    ['compressed before it is signed', () => ({ ...both(), compress: 'before-signing' }), 'compressed'],
    ['compressed after it is signed', () => ({ ...both(), compress: 'after-signing' }), 'compressed'],
    ['encrypted by GCM', () => ({ ...both(), encrypt: { for: [us.pair.certificate], cipher: 'aes-128-gcm' } }), 'aes-128-gcm'],
  ])('one that is %s is taken', async (what, options, layer) => {
    const id = `<${what.replaceAll(' ', '-')}@them>`;
    const { opened } = await deliver(id, options());
    expect(opened.receipt).toMatchObject({ processed: true });
    expect(server.audit.of('as2-message').at(-1)!.layers).toContain(layer);
  });

  it.each<[string, () => Partial<SealOptions>, string, ((body: Buffer) => Buffer)?]>([
    ['is not encrypted', () => ({ sign: both().sign! }), 'insufficient-message-security'],
    ['is not signed', () => ({ encrypt: both().encrypt! }), 'insufficient-message-security'],
    ['is signed by somebody else', () => ({ ...both(), sign: { by: strangers.pair, digest: 'sha256' } }), 'authentication-failed'],
    ['is encrypted for somebody else', () => ({ ...both(), encrypt: { for: [strangers.pair.certificate], cipher: 'aes-256-cbc' } }), 'decryption-failed'],
    ['is signed by SHA-1', () => ({ ...both(), sign: { by: them.pair, digest: 'sha1' } }), 'unsupported mic-algorithms'],
    ['is encrypted by 3DES', () => ({ ...both(), encrypt: { for: [us.pair.certificate], cipher: 'des-ede3-cbc' } }), 'insufficient-message-security'],
    [
      'was changed on its way, in an authenticated cipher',
      () => ({ ...both(), encrypt: { for: [us.pair.certificate], cipher: 'aes-256-gcm' } }),
      'failed',
      flipped,
    ],
  ])('one that %s is refused, and nothing of it stays', async (what, options, disposition, spoil = (body) => body) => {
    const name = what.replaceAll(/[ ,]+/g, '-');
    const { opened } = await deliver(`<${name}@them>`, options(), spoil);
    expect(opened.signed).toBe(true);
    expect(opened.receipt).toMatchObject({ processed: false, mic: undefined });
    expect(opened.receipt!.modifier).toContain(disposition);
    expect(await server.names('inbox')).not.toContain(`${name}.edi`);
    expect(server.audit.of('as2-message').at(-1)).toMatchObject({ outcome: 'failure', user: 'demo' });
  });

  it('one that somebody has recorded makes up for no wrong passwords, and makes nobody known', async () => {
    const guess = async () => {
      const raw = await RawClient.explicit(server);
      await raw.reply();
      await raw.upgrade(server);
      await raw.send('USER demo');
      await raw.send('PASS wrong');
      raw.close();
    };
    for (let wrong = 0; wrong < 9; wrong += 1) await guess();
    expect((await deliver('<recorded@them>', both())).opened.receipt).toMatchObject({ processed: true });
    await guess();
    expect(await server.audit.next('lockout')).toMatchObject({ scope: 'account', login: 'demo' });
  });

  it('what failed may come again by the same Message-ID', async () => {
    const id = '<again@them>';
    expect((await deliver(id, { sign: both().sign! })).opened.receipt).toMatchObject({ processed: false });
    expect((await deliver(id, both())).opened.receipt).toMatchObject({ processed: true });
    expect((await server.names('inbox')).filter((name) => name.startsWith('again'))).toEqual(['again.edi']);
  });
});

function flipped(body: Buffer): Buffer {
  const changed = Buffer.from(body);
  changed[changed.length - 2_000]! ^= 1;
  return changed;
}

describe('between two servers', () => {
  const full = (other: Party): Pick<PartnerInput, 'account' | 'allowPlainHttp' | 'certificates' | 'retry'> => ({
    account: 'demo',
    allowPlainHttp: true,
    certificates: [other.certificate],
    retry: { attempts: 3, firstSeconds: 0.05, longestSeconds: 0.1 },
  });
  it.each(['sync', 'async'] as const)('a file in an outbox arrives, and its %s receipt moves it to what was sent', async (kind) => {
    const [here, there] = [await freePort(), await freePort()];
    const theirs = await as2Served(them, { id: 'Them', plainPort: there, partners: [{ ...full(us), as2Id: 'Us', url: `http://127.0.0.1:${here}/as2` }] });
    const ours = await as2Served(us, {
      plainPort: here,
      url: `http://127.0.0.1:${here}/as2`,
      partners: [{ ...full(them), as2Id: 'Them', url: `http://127.0.0.1:${there}/as2`, receipt: { kind } }],
    });
    try {
      await put(ours, 'invoice.edi', CONTENT);
      const told = await ours.audit.next('as2-delivery', ({ state }) => state === 'delivered' || state === 'failed');
      expect(told).toMatchObject({ state: 'delivered', partner: 'Them', path: '/outbox/invoice.edi' });
      expect(await theirs.content('inbox/invoice.edi')).toBe(CONTENT);
      await ours.audit.next('command', ({ renamedTo }) => renamedTo === '/sent/invoice.edi');
      expect(await ours.names('outbox')).toEqual([]);
      expect(ours.audit.of('transfer')).toMatchObject([{ transfer: 'download', protocol: 'as2', outcome: 'success' }]);
    } finally {
      await ours.close();
      await theirs.close();
    }
  });
});

/** By a rename, as a program does it that is no client. */
async function put(server: As2Served, name: string, content: string): Promise<void> {
  await mkdir(join(server.files, 'outbox'), { recursive: true });
  await writeFile(join(server.files, `.${name}`), content);
  await rename(join(server.files, `.${name}`), join(server.files, 'outbox', name));
}

describe('a partner that is not as it should be', () => {
  let partner: Server;
  let answer: (request: IncomingMessage, count: number) => Promise<{ status: number; headers?: Record<string, string>; body?: Buffer }>;
  const ids: string[] = [];
  let server: As2Served;
  beforeAll(async () => {
    partner = createServer(async (request, response) => {
      request.resume();
      await once(request, 'end');
      ids.push(String(request.headers['message-id']));
      const { status, headers = {}, body } = await answer(request, ids.length);
      response.writeHead(status, headers).end(body);
    }).listen(0, '127.0.0.1');
    await once(partner, 'listening');
    const { port } = partner.address() as { port: number };
    server = await as2Served(us, {
      partners: [
        {
          ...PLAIN,
          as2Id: 'Them',
          url: `http://127.0.0.1:${port}/`,
          certificates: [them.certificate],
          send: { sign: 'sha256', encrypt: false },
          receipt: { signed: true },
        },
      ],
    });
  });
  afterAll(async () => {
    await server?.close();
    partner.closeAllConnections();
    partner.close();
  });
  const receipt = async (request: IncomingMessage, options: { readonly by?: Party; readonly mic?: string; readonly failure?: 'decryption-failed' } = {}) => {
    const written = await writeReceipt({
      messageId: '<r@them>',
      originalMessageId: String(request.headers['message-id']),
      finalRecipient: 'Them',
      text: 'said',
      failure: options.failure,
      mic: options.mic === undefined ? undefined : { algorithm: 'sha256', name: 'sha-256', value: options.mic },
      sign: options.by && { by: options.by.pair, digest: 'sha256' },
    });
    return { status: 200, headers: written.headers as Record<string, string>, body: written.body };
  };
  const outcome = async (name: string) => {
    ids.length = 0;
    await put(server, name, CONTENT);
    const told = await server.audit.next('as2-delivery', ({ path, state }) => path === `/outbox/${name}` && (state === 'delivered' || state === 'failed'));
    await server.audit.next('command', ({ path, renamedTo }) => path === `/outbox/${name}` && renamedTo !== undefined);
    return told;
  };

  it('that answers with errors is tried again, with the same Message-ID, and then given up', async () => {
    answer = async () => ({ status: 500 });
    expect(await outcome('error.edi')).toMatchObject({ state: 'failed', detail: 'the partner answered 500' });
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    expect(await server.names('failed')).toContain('error.edi');
  });

  it.each([
    ['has another MIC', { by: true, mic: Buffer.alloc(32).toString('base64') }, 'the digest in the receipt (MIC) is not that of what was sent'],
    ['has no MIC', { by: true }, 'the receipt has no digest (MIC) of what was taken'],
    ['refuses', { by: true, failure: 'decryption-failed' as const }, 'said'],
  ])('whose receipt %s has not taken the file', async (what, { by, ...options }: { by?: boolean; mic?: string; failure?: 'decryption-failed' }, detail) => {
    answer = (request) => receipt(request, { ...options, by: by ? them : undefined });
    expect(await outcome(`${what.replaceAll(' ', '-')}.edi`)).toMatchObject({ state: 'failed', detail });
    expect(ids).toHaveLength(1);
  });

  it.each([
    ['says that it was taken', {}, 'the receipt is not signed'],
    [
      'refuses',
      { failure: 'decryption-failed' as const },
      'the receipt is not signed; it says automatic-action/MDN-sent-automatically; processed/error: decryption-failed: said',
    ],
  ])('whose receipt %s and is not signed is asked again, since anybody may have said so', async (what, options, detail) => {
    answer = (request) => receipt(request, options);
    expect(await outcome(`unsigned-${what.replaceAll(' ', '-')}.edi`)).toMatchObject({ state: 'failed', detail });
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
  });

  it('whose receipt is by somebody else is asked again', async () => {
    answer = (request) => receipt(request, { by: strangers });
    expect(await outcome('forged.edi')).toMatchObject({ state: 'failed' });
    expect(ids).toHaveLength(3);
  });

  it('that sends us elsewhere is not followed', async () => {
    answer = async () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } });
    expect(await outcome('elsewhere.edi')).toMatchObject({ state: 'failed', detail: 'the partner answered 302' });
  });
});

it('a refusal without a signature, by whoever knows the Message-ID, ends no message that awaits its receipt, nor keeps out the one that counts', async () => {
  const sent: IncomingMessage[] = [];
  const came = new EventEmitter();
  const partner = createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200).end();
      sent.push(request);
      came.emit('message');
    });
  }).listen(0, '127.0.0.1');
  await once(partner, 'listening');
  const server = await as2Served(us, {
    url: 'http://127.0.0.1:1/as2',
    partners: [
      {
        ...PLAIN,
        as2Id: 'Them',
        url: `http://127.0.0.1:${(partner.address() as { port: number }).port}/`,
        certificates: [them.certificate],
        receipt: { kind: 'async', signed: true },
      },
    ],
  });
  const give = async (mic: string | undefined, by?: Party) => {
    const written = await writeReceipt({
      messageId: '<r@them>',
      originalMessageId: String(sent[0]!.headers['message-id']),
      finalRecipient: 'Them',
      text: 'go away',
      failure: mic === undefined ? 'decryption-failed' : undefined,
      mic: mic === undefined ? undefined : { algorithm: 'sha256', name: 'sha-256', value: mic },
      sign: by && { by: by.pair, digest: 'sha256' },
    });
    const { 'Disposition-Notification-To': _, ...headers } = asking('<r@them>');
    return (await send(server.as2Port, { ...headers, ...written.headers }, written.body)).status;
  };
  const state = async (wanted: string) => server.audit.next('as2-delivery', (one) => one.state === wanted);
  try {
    const message = once(came, 'message');
    await put(server, 'awaited.edi', CONTENT);
    await message;
    await state('awaiting');
    expect(await give(undefined)).toBe(403);
    expect(await server.audit.next('as2-message', ({ what }) => what === 'receipt')).toMatchObject({
      outcome: 'failure',
      isUnproven: true,
      detail: 'the receipt is not signed, and counts for nothing: go away',
    });
    expect(await give(createHash('sha256').update(CONTENT).digest('base64'), them)).toBe(200);
    await state('delivered');
    expect(server.audit.of('as2-delivery').map((one) => one.state)).toEqual(['awaiting', 'delivered']);
    expect(sent).toHaveLength(1);
  } finally {
    await server.close();
    partner.closeAllConnections();
    partner.close();
  }
});

it('a receipt for a message that nobody sent is told so', async () => {
  const server = await as2Served(us, { partners: [{ ...PLAIN, as2Id: 'Them' }] });
  try {
    const written = await writeReceipt({ messageId: '<r@them>', originalMessageId: '<never@us>', finalRecipient: 'Them', text: 'said' });
    const { 'Disposition-Notification-To': _, ...headers } = asking('<r@them>');
    expect((await send(server.as2Port, { ...headers, ...written.headers }, written.body)).status).toBe(404);
  } finally {
    await server.close();
  }
});

import { PASSWORD, run, type ServedProcess, serveProcess, USER } from '../support/served';

let server: ServedProcess;
beforeAll(async () => {
  server = await serveProcess();
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

/** Fulfilled when the audit has the reason that often: the server writes it when the client may be gone already. */
async function audited(reason: string, times: number): Promise<void> {
  while (reasons().filter((one) => one === reason).length < times) await new Promise((resolve) => setTimeout(resolve, 20));
}

const reasons = () => server.audit().map(({ status_detail }) => status_detail);

it('curl without TLS is refused before its password is looked at, and the audit says why', async () => {
  const { code, output } = await run(
    'curl',
    ['-sS', '--config', '-', `ftp://localhost:${server.explicit}/`],
    `user = "${USER}:${PASSWORD.replaceAll('"', '\\"')}"\n`,
  );
  expect(code).toBe(67);
  expect(output).toContain('530');
  await audited('tls-required', 1);
});

describe.each(['explicit', 'implicit'] as const)('openssl s_client, %s mode', (mode) => {
  const connect = (...args: string[]) =>
    run('openssl', ['s_client', '-connect', `localhost:${server[mode]}`, ...(mode === 'explicit' ? ['-starttls', 'ftp'] : []), ...args], 'QUIT\r\n');

  it.each([
    ['TLS 1.0', ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'], 'unsupported-protocol'],
    ['TLS 1.1', ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], 'unsupported-protocol'],
    // OpenSSL 3 is built without RC4 and with 3DES only as a name; what it can offer of the weak ones is offered here.
    ['CBC only', ['-tls1_2', '-cipher', 'ECDHE+AES+SHA:ECDHE+AES+SHA256:ECDHE+AES+SHA384:!AESGCM:!CHACHA20:@SECLEVEL=0'], 'no-shared-cipher'],
    ['RSA key exchange only', ['-tls1_2', '-cipher', 'kRSA:@SECLEVEL=0'], 'no-shared-cipher'],
  ])('%s is refused, and the audit says why', async (_name, args, reason) => {
    const before = reasons().filter((one) => one === reason).length;
    const { output } = await connect(...args);
    expect(output).toMatch(/alert|no cipher match|handshake failure/i);
    expect(output).toMatch(/Cipher is \(NONE\)/);
    await audited(reason, before + 1);
  });

  it.each(['-tls1_2', '-tls1_3'])('is answered with AES-256-GCM under %s', async (version) => {
    const { output } = await connect(version);
    expect(output).toMatch(/Cipher is (ECDHE-\w+-AES256-GCM-SHA384|TLS_AES_256_GCM_SHA384)/);
  });
});

it.each([
  ['RC4', 0x0005],
  ['3DES', 0x000a],
  ['3DES with ECDHE', 0xc012],
])('a client that offers only %s is refused, and the audit says why', async (_name, suite) => {
  // No TLS library here offers these any more, so the hello is written out: TLS 1.2, one cipher suite, a curve and signatures.
  const extensions = Buffer.from('000a00040002001d000b00020100000d00060004040308040017000000', 'hex').subarray(0, 28);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0, 0, 2, suite >> 8, suite & 255, 1, 0, 0, extensions.length]),
    extensions,
  ]);
  const hello = Buffer.concat([Buffer.from([22, 3, 1, 0, body.length + 4, 1, 0, 0, body.length]), body]);
  const before = reasons().filter((one) => one === 'no-shared-cipher').length;
  const { output } = await run('ncat', ['127.0.0.1', String(server.implicit)], hello);
  expect(Buffer.from(output, 'latin1')[0]).toBe(21); // an alert, and nothing else
  await audited('no-shared-cipher', before + 1);
});

it('commands in one packet with AUTH TLS are not executed', async () => {
  const { output } = await run('ncat', ['127.0.0.1', String(server.explicit)], `AUTH TLS\r\nUSER ${USER}\r\nPASS ${PASSWORD}\r\n`);
  expect(output).toBe('220 FTPS ready\r\n');
  await audited('bytes-before-upgrade', 1);
  expect(server.audit().filter(({ class_uid }) => class_uid === 3002)).toEqual([]);
});

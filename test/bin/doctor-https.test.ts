/** `ftps doctor --https` against a real server, and what it thinks of servers that are otherwise. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../../bin/doctor/finding';
import { cookieFinding } from '../../bin/doctor/https/inside';
import { headerFindings } from '../../bin/doctor/https/outside';
import { type HttpsServed, httpsServed } from '../server/https/served';
import { TestAuthority } from '../server/support/authority';
import { PASSWORD } from '../server/support/server';
import { doctorSaid } from './doctor-said';

const folder = mkdtempSync(join(tmpdir(), 'ftps-doctor-https-'));
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const password = file('password', `${PASSWORD}\n`);

let server: HttpsServed;
let authority: TestAuthority;
let ca: string;
beforeAll(async () => {
  server = await httpsServed({}, [{ user: 'demo' }, { user: 'reader', permissions: ['read', 'list'] }]);
  ca = file('ca.pem', server.authority.pem);
  authority = await TestAuthority.create();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function said(...args: string[]): Promise<{ findings: Finding[]; code: typeof process.exitCode }> {
  const { text, code } = await doctorSaid('--json', ...args);
  return { ...JSON.parse(text), code };
}

const found = (findings: readonly Finding[], level: Finding['level']) =>
  findings.filter((one) => one.level === level).map(({ check, text }) => `${check}: ${text}`);

describe('this server', () => {
  const doctor = (...args: string[]) => said('--https', `${server.httpsPort}`, '--ca', ca, ...args);

  it('has nothing wrong, and everything was looked at: without an account', async () => {
    const { findings, code } = await doctor();
    expect([found(findings, 'problem'), found(findings, 'warning'), code]).toEqual([[], [], undefined]);
    expect(found(findings, 'ok')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^tls: https TLS works: TLSv1\.3, /),
        expect.stringMatching(/^certificate: the certificate covers localhost, its chain is whole/),
        'https-page: a page is there for browsers',
        'https-hsts: browsers are kept to HTTPS for 365 days',
        "https-csp: the page runs nothing but what its content security policy names ('self')",
        'https-framing: no other page may frame it',
        'https-nosniff: browsers do not guess what a file is',
        expect.stringMatching(/^https-api: the API is described at \/api\/v1\/openapi\.json \(OpenAPI 3\.1/),
        'https-stranger: who has not signed in sees no files (401 Sign in first, or send a token.)',
      ]),
    );
  });

  it('has nothing wrong for an account, and keeps nothing of the probe', async () => {
    const { findings, code } = await doctor('--user', 'demo', '--password-file', password);
    expect([found(findings, 'problem'), found(findings, 'warning'), code]).toEqual([[], [], undefined]);
    expect(found(findings, 'ok')).toEqual(
      expect.arrayContaining([
        'https-login: demo is signed in',
        'https-cookie: the cookie stays with this host: Secure, HttpOnly, SameSite',
        'https-clock: the clock of the server agrees with the one here',
        expect.stringMatching(/^https-round-trip: 65536 bytes came back unchanged/),
        'https-sign-out: after signing out the cookie is worth nothing',
      ]),
    );
    expect((readdirSync(server.files, { recursive: true }) as string[]).filter((name) => name.includes('ftps-doctor'))).toEqual([]);
  });

  it('refuses a wrong password, which is a problem; an account that may not write is a warning', async () => {
    const wrong = await doctor('--user', 'demo', '--password-file', file('wrong', 'wrong\n'));
    expect(found(wrong.findings, 'problem')).toEqual(['https-login: no sign-in is possible: 401 Name, password or code is wrong.']);
    expect(wrong.code).toBe(3);
    const reader = await doctor('--user', 'reader', '--password-file', password);
    expect([found(reader.findings, 'problem'), reader.code]).toEqual([[], undefined]);
    expect(found(reader.findings, 'warning')).toEqual([expect.stringMatching(/^https-round-trip: a file can't be stored: 403 /)]);
  });

  it('whose certificate is for another name, or not trusted, is a problem', async () => {
    const other = await doctor('--name', 'files.example.com');
    expect(found(other.findings, 'problem')).toEqual([expect.stringMatching(/^certificate: the certificate does not cover files\.example\.com/)]);
    const untrusted = await said('--https', `${server.httpsPort}`);
    expect(found(untrusted.findings, 'problem')).toEqual([expect.stringMatching(/^certificate: the chain of the certificate does not lead to a trusted root/)]);
  });
});

describe('another server', () => {
  let other: Server;
  const serving = async (listener: RequestListener, options: object = {}) => {
    const { certificate, key } = await authority.issue({ names: ['localhost'] });
    other = createServer({ cert: certificate, key, ...options }, listener);
    await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve));
    return said(
      '--https',
      `${(other.address() as { port: number }).port}`,
      '--ca',
      file('other.pem', authority.pem),
      '--user',
      'demo',
      '--password-file',
      password,
    );
  };
  afterEach(() => other.close());

  it('without headers and API has a warning for each, and is sent no password', async () => {
    const seen: string[] = [];
    const { findings, code } = await serving(({ url }, answer) => {
      seen.push(url!);
      answer.statusCode = url === '/' ? 200 : 404;
      answer.setHeader('content-type', 'text/html').end('hello');
    });
    expect([found(findings, 'problem'), code]).toEqual([[], undefined]);
    expect(found(findings, 'warning').map((words) => words.split(':')[0])).toEqual([
      'https-hsts',
      'https-csp',
      'https-framing',
      'https-nosniff',
      'https-api',
      'https-login',
    ]);
    expect(seen).toEqual(['/', '/api/v1/openapi.json']);
  });

  it('that lists files without signing in has a problem', async () => {
    const { findings } = await serving(({ url }, answer) =>
      answer.setHeader('content-type', 'application/json').end(url!.endsWith('openapi.json') ? '{"openapi":"3.1.0"}' : '{}'),
    );
    expect(found(findings, 'problem')).toEqual(['https-stranger: files are listed without signing in (200)', 'https-login: no sign-in is possible: 200']);
  });

  it('of TLS 1.2 alone has a warning', async () => {
    const { findings } = await serving((_, answer) => answer.end(), { maxVersion: 'TLSv1.2' });
    expect(found(findings, 'warning')).toContain('tls: TLSv1.3 is not offered');
  });
});

it('what does not speak TLS, or nothing at all, is named', async () => {
  const other = createTcpServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end('220 ready\r\n'),
  );
  await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve));
  const { port } = other.address() as { port: number };
  expect(found((await said('--https', `${port}`)).findings, 'problem')).toEqual([expect.stringMatching(/^tls: https TLS on port \d+ fails: /)]);
  await new Promise((resolve) => other.close(resolve));
  expect(found((await said('--https', `${port}`)).findings, 'problem')).toEqual([expect.stringMatching(/^https: port \d+ can't be reached .*ECONNREFUSED/)]);
});

it.each([
  ["default-src 'self'; frame-ancestors 'none'", []],
  ["default-src 'none'; script-src 'self' 'nonce-abc' 'unsafe-inline'; frame-ancestors 'self'", []],
  ["script-src 'unsafe-inline'; frame-ancestors 'none'", ['https-csp']],
  ['script-src https:', ['https-csp', 'https-framing']],
  ["img-src 'self'", ['https-csp', 'https-framing']],
])('the policy %s is judged', (policy, checks) => {
  const headers = { 'content-security-policy': policy, 'strict-transport-security': 'max-age=31536000', 'x-content-type-options': 'nosniff' };
  expect(headerFindings({ headers }).flatMap(({ level, check }) => (level === 'ok' ? [] : [check]))).toEqual(checks);
});

it('a cookie that other pages can read or send is a problem', () => {
  expect(cookieFinding('id=1; Path=/; Secure; HttpOnly; SameSite=Lax').level).toBe('ok');
  expect(cookieFinding('id=1; Secure').text).toBe('the cookie of a sign-in lacks HttpOnly, SameSite');
});

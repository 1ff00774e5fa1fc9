/** What can be seen of HTTPS without an account: the page with what it tells browsers, the API, and that nobody sees files without signing in. */
import { type Finding, ok, problem, warning } from '../finding';
import { type Answer, type HttpsClient, wordsOf } from './client';

export const API = '/api/v1';

/** Half a year, from which on a browser is kept to HTTPS for longer than people stay away. Seconds. */
const LONG_ENOUGH = 15_552_000;

/** What the page says about itself, as a browser reads it. */
export async function pageFindings(client: HttpsClient): Promise<Finding[]> {
  const answer = await client.ask('GET', '/', { accept: 'text/html' });
  const { status, headers } = answer;
  const isPage = status === 200 && /^text\/html/.test(headers['content-type'] ?? '');
  const page = isPage
    ? ok('https-page', 'a page is there for browsers')
    : warning(
        'https-page',
        `there is no page for browsers: / is answered ${wordsOf(answer)}`,
        'See which address partners are told, or leave it so where only programs come.',
      );
  return [page, ...headerFindings(answer)];
}

/** OWASP Secure Headers Project; RFC 6797. */
export function headerFindings({ headers }: Pick<Answer, 'headers'>): Finding[] {
  const hsts = Number(/max-age="?(\d+)/i.exec(headers['strict-transport-security'] ?? '')?.[1] ?? 0);
  const policy = headers['content-security-policy'] ?? '';
  const scripts = /(?:^|;)\s*script-src\s+([^;]*)/i.exec(policy)?.[1] ?? /(?:^|;)\s*default-src\s+([^;]*)/i.exec(policy)?.[1];
  const isFramed = !/frame-ancestors/i.test(policy) && !/^(deny|sameorigin)$/i.test(headers['x-frame-options'] ?? '');
  return [
    hsts >= LONG_ENOUGH
      ? ok('https-hsts', `browsers are kept to HTTPS for ${Math.round(hsts / 86_400)} days`)
      : warning(
          'https-hsts',
          hsts === 0 ? 'browsers are not kept to HTTPS' : `browsers are kept to HTTPS for ${hsts} seconds only`,
          'Send Strict-Transport-Security: max-age=31536000, so that nobody in between can have a browser come without TLS.',
        ),
    scripts === undefined || letsForeignScriptsRun(scripts)
      ? warning(
          'https-csp',
          policy === ''
            ? 'no content security policy bounds what the page may run'
            : `the content security policy lets foreign scripts run (${scripts ?? 'no script-src'})`,
          "Send Content-Security-Policy with script-src 'self', so that the name or content of a file can't run in the page.",
        )
      : ok('https-csp', `the page runs nothing but what its content security policy names (${scripts.trim()})`),
    isFramed
      ? warning(
          'https-framing',
          'other pages may frame it, and have its users click what they do not see',
          "Send Content-Security-Policy: frame-ancestors 'none'.",
        )
      : ok('https-framing', 'no other page may frame it'),
    /^nosniff$/i.test(headers['x-content-type-options'] ?? '')
      ? ok('https-nosniff', 'browsers do not guess what a file is')
      : warning('https-nosniff', 'browsers may guess what a file is, and run what was uploaded as something else', 'Send X-Content-Type-Options: nosniff.'),
  ];
}

/** Where a nonce or a hash is named, browsers pass over 'unsafe-inline' (Content Security Policy Level 3, "allow all inline behavior"). */
const letsForeignScriptsRun = (sources: string) =>
  (/'unsafe-inline'/i.test(sources) && !/'(nonce|sha(256|384|512))-/i.test(sources)) || /(^|\s)(\*|https?:|data:)(\s|$)/i.test(sources);

/** Whether the description of an API is there; without one nothing more is asked. */
export async function apiFindings(client: HttpsClient): Promise<{ readonly findings: Finding[]; readonly hasApi: boolean }> {
  const answer = await client.ask('GET', `${API}/openapi.json`, { accept: 'application/json' });
  const version = answer.status === 200 ? openApiVersion(answer.body) : undefined;
  if (version === undefined)
    return {
      findings: [
        warning(
          'https-api',
          `there is no API for programs: ${API}/openapi.json is answered ${wordsOf(answer)}`,
          'Only the API of this server is known here; what it asks for is not looked at.',
        ),
      ],
      hasApi: false,
    };
  const findings = [ok('https-api', `the API is described at ${API}/openapi.json (OpenAPI ${version})`)];
  const stranger = await client.ask('GET', `${API}/folders`);
  findings.push(
    stranger.status === 401 || stranger.status === 403
      ? ok('https-stranger', `who has not signed in sees no files (${wordsOf(stranger)})`)
      : stranger.status < 400
        ? problem('https-stranger', `files are listed without signing in (${stranger.status})`, 'Take what lets strangers in away, before anything else.')
        : warning(
            'https-stranger',
            `who has not signed in is answered ${wordsOf(stranger)}`,
            'See whether something in front of the server changes its answers.',
          ),
  );
  return { findings, hasApi: true };
}

function openApiVersion(body: Buffer): string | undefined {
  try {
    const { openapi } = JSON.parse(body.toString('utf8')) as { openapi?: unknown };
    return typeof openapi === 'string' ? openapi : undefined;
  } catch {
    return undefined;
  }
}

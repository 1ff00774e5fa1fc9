/** A real provider of OpenID Connect, in a process of its own. Whoever signs in there is who he says: its page takes any name with any password. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:https';
import { join } from 'node:path';
import { TestAuthority } from './authority';

export interface OidcProvider {
  readonly issuer: string;
  /** Of its authority, in PEM. */
  readonly ca: string;
  /** It answers nobody, until it goes on. */
  pause(): void;
  goOn(): void;
  stop(): void;
}

export const CLIENT_SECRET = 'the secret of & files';

/** Its client `files` has a secret, `bare` has none; both come back to `redirectUri`. */
export async function oidcProvider(redirectUri: string): Promise<OidcProvider> {
  const authority = await TestAuthority.create('CN=Provider Root');
  const { certificate: cert, key } = await authority.issue({ names: ['localhost'] });
  const provider = spawn(process.execPath, ['--no-warnings', join(__dirname, 'oidc-provider.mjs')], { stdio: ['pipe', 'pipe', 'ignore'] });
  provider.stdin.end(JSON.stringify({ key, cert, redirectUri, secret: CLIENT_SECRET }));
  const [line] = (await once(provider.stdout, 'data')) as [Buffer];
  return {
    issuer: line.toString().trim(),
    ca: authority.pem,
    pause: () => void provider.kill('SIGSTOP'),
    goOn: () => void provider.kill('SIGCONT'),
    stop: () => void provider.kill(),
  };
}

/** The browser of somebody, as far as the provider is concerned. */
async function visit(ca: string, url: string, jar: Map<string, string>, fields?: Record<string, string>): Promise<{ location?: string; body: string }> {
  const asked = request(url, {
    ca,
    method: fields ? 'POST' : 'GET',
    headers: {
      cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(fields ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
    },
  });
  asked.end(fields && new URLSearchParams(fields).toString());
  const [response] = await once(asked, 'response');
  for (const cookie of (response.headers['set-cookie'] ?? []) as string[]) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    jar.set(name, value);
  }
  let body = '';
  for await (const chunk of response) body += chunk;
  const { location } = response.headers;
  return { location: location && new URL(location, url).href, body };
}

/** Signs in at the provider; answers the path to which the browser is sent back. */
export async function signInThere({ ca }: OidcProvider, location: string, login: string): Promise<string> {
  const jar = new Map<string, string>();
  let at: string | undefined = location;
  for (let step = 0; at !== undefined && step < 12; step += 1) {
    if (at.includes('/api/v1/sign-in/callback')) return at.slice(new URL(at).origin.length);
    const isAsked = at.includes('/interaction/');
    const page = await visit(ca, at, jar);
    at = isAsked ? (await visit(ca, at, jar, { prompt: /name="prompt" value="(\w+)"/.exec(page.body)![1]!, login, password: 'x' })).location : page.location;
  }
  throw new Error(`the provider did not send the browser back, but to ${at}`);
}

/** A real provider of OpenID Connect, in a process of its own. Whoever signs in there is who he says: its page takes any name with any password. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { TestAuthority } from './authority';

export interface OidcProvider {
  readonly issuer: string;
  /** Of its authority, in PEM. */
  readonly ca: string;
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
  return { issuer: line.toString().trim(), ca: authority.pem, stop: () => void provider.kill() };
}

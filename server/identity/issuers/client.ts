/** Signing in at an issuer, in a browser: authorization code with PKCE (OpenID Connect Core 1.0 section 3.1, RFC 7636). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SignInWith } from '../../config';
import { readSecret } from '../../secrets/secret';
import type { Checked, Issuer } from './issuer';

/** What belongs to one attempt of one browser. */
export interface Attempt {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** What the browser brings back. */
export interface Returned {
  readonly code: string;
  /** RFC 9207. */
  readonly iss?: string;
}

export class OidcClient {
  constructor(
    private readonly issuer: Issuer,
    private readonly config: SignInWith,
  ) {}

  get rules() {
    return this.issuer.config;
  }

  /** Where the browser goes. Throws an Error where the issuer does not say. */
  async address({ redirectUri, state, nonce, verifier }: Attempt): Promise<string> {
    const address = new URL(await this.issuer.endpoint('authorization_endpoint'));
    const query = {
      response_type: 'code',
      client_id: this.config.clientId,
      redirect_uri: redirectUri,
      scope: this.config.scopes.join(' '),
      state,
      nonce,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    };
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    return address.href;
  }

  /** What the issuer says of who comes back. Each costs it something, and whoever comes may make one up: how many there may be at once is for who asks to say. */
  async redeem({ code, iss }: Returned, attempt: Attempt): Promise<Checked> {
    try {
      return await this.exchanged(code, iss, attempt);
    } catch (error) {
      return { kind: 'unavailable', reason: `${this.config.issuer}: ${(error as Error).message}` };
    }
  }

  private async exchanged(code: string, iss: string | undefined, { redirectUri, nonce, verifier }: Attempt): Promise<Checked> {
    const { issuer, clientId } = this.config;
    const bad: Checked = { kind: 'bad', reason: 'token-not-valid' };
    const said = await this.issuer.said();
    // One issuer's code is never told to another (RFC 9207).
    if (iss === undefined ? said['authorization_response_iss_parameter_supported'] === true : iss !== issuer) return { kind: 'bad', reason: 'unknown-issuer' };
    const form = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier });
    const headers = await this.proof(form, said['token_endpoint_auth_methods_supported']);
    const { status, json } = await this.issuer.post(await this.issuer.endpoint('token_endpoint'), form, headers);
    if (status >= 500) throw new Error(`answered ${status}`);
    const token = json['id_token'];
    if (status !== 200 || typeof token !== 'string') return bad;
    const checked = await this.issuer.check(token, { audience: [clientId], audienceClaim: 'aud' });
    if (checked.kind !== 'good') return checked;
    const { nonce: own, azp, aud } = checked.claims as { nonce?: unknown; azp?: unknown; aud?: unknown };
    const isForUs = azp === undefined ? !Array.isArray(aud) || aud.length === 1 : azp === clientId;
    return isForUs && isSame(own, nonce) ? checked : bad;
  }

  /** By which the issuer knows the server; a client without a secret has PKCE alone. */
  private async proof(form: URLSearchParams, methods: unknown): Promise<Record<string, string>> {
    const { clientId } = this.config;
    const secret = await this.secret();
    if (secret === undefined) form.set('client_id', clientId);
    else if (Array.isArray(methods) && !methods.includes('client_secret_basic')) {
      form.set('client_id', clientId);
      form.set('client_secret', secret);
    } else return { authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}` };
    return {};
  }

  /** Read anew each time, so that one that was changed is taken up. */
  private async secret(): Promise<string | undefined> {
    const { clientSecretFile, clientSecretId } = this.config;
    if (clientSecretFile !== undefined) return (await readFile(clientSecretFile, 'utf8')).split(/\r?\n/, 1)[0];
    if (clientSecretId === undefined) return undefined;
    const value = (await readSecret(clientSecretId)) as { clientSecret?: unknown } | null;
    if (typeof value?.clientSecret !== 'string') throw new Error(`the secret ${clientSecretId} has no "clientSecret"`);
    return value.clientSecret;
  }
}

function isSame(one: unknown, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return typeof one === 'string' && timingSafeEqual(digest(one), digest(other));
}

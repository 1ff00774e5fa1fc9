/** An issuer of tokens that a test has in its hands: an HTTPS server with metadata and keys. */

import type { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { TestAuthority } from './authority';
import { secret } from './written';

export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: webcrypto.CryptoKey;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export async function issuerKey(kid: string, alg = 'ES256'): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export class TestIssuer {
  keys: readonly IssuerKey[] = [];
  /** What it is asked for, by path, as it comes. */
  readonly asked: string[] = [];
  /** What it answers instead. */
  readonly instead = new Map<string, string>();

  private constructor(
    readonly ca: string,
    private readonly server: Server,
  ) {}

  static async open(): Promise<TestIssuer> {
    const authority = await TestAuthority.create('CN=Issuer Root');
    const { certificate, key } = await authority.issue({ names: ['localhost'] });
    const server = createServer({ cert: certificate, key });
    const issuer = new TestIssuer(authority.pem, server);
    issuer.keys = [await issuerKey('first')];
    server.on('request', ({ url = '' }, response) => {
      issuer.asked.push(url);
      const body = issuer.instead.get(url) ?? JSON.stringify(issuer.answers(url));
      response.writeHead(body === '503' ? 503 : 200, { 'content-type': 'application/json' }).end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return issuer;
  }

  get url(): string {
    return `https://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  /** A token of it, good for a minute. */
  async sign(claims: JWTPayload, { key = this.keys[0]!, header = {} }: { key?: IssuerKey; header?: Partial<JWTHeaderParameters> } = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const token = new SignJWT({ iss: this.url, aud: 'files', sub: 'someone', iat: now, exp: now + 60, ...claims });
    return secret(await token.setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header }).sign(key.privateKey, { crit: { x: true } }));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private answers(url: string): unknown {
    if (url === '/keys') return { keys: this.keys.map(({ jwk }) => jwk) };
    return { issuer: this.url, jwks_uri: `${this.url}/keys` };
  }
}

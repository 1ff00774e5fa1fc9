/** One issuer of tokens: what it says of itself, its keys, and whether a token is one of its own. */
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { IssuerConfig } from '../../config';
import type { Authorities } from '../authorities';
import type { RefusalReason } from '../identity';
import { Keys, KeysUnavailable, KeysUnfit } from './keys';
import { askTheWeb, type Web } from './web';

/** Access tokens of RFC 9068, and what says no more than that it is a JSON Web Token. Others (`logout+jwt`, `dpop+jwt`) are made for something else. */
const TYPES = ['jwt', 'at+jwt'];

/** For whom a token has to be, and what it has to say besides. */
export interface Wanted {
  readonly audience: readonly string[];
  readonly audienceClaim: IssuerConfig['audienceClaim'];
  /** SHA-256 of the client's certificate, hexadecimal. */
  readonly certificate?: string;
}

export type Checked =
  | { readonly kind: 'good'; readonly claims: JWTPayload; readonly until: number }
  | { readonly kind: 'bad'; readonly reason: RefusalReason }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** What is not taken within FIPS 140-3, as for SSH and TLS. */
const NOT_APPROVED = 'EdDSA';

export interface IssuerOptions {
  /** Whether signatures are taken within FIPS 140-3 alone. */
  readonly fips: boolean;
  readonly web?: Web;
}

export class Issuer {
  private readonly keys: Keys;
  private readonly algorithms: string[];
  private readonly web: Web;
  private metadata: Promise<Readonly<Record<string, unknown>>> | undefined;

  constructor(
    readonly config: IssuerConfig,
    private readonly authorities: Authorities,
    report: (state: 'up' | 'down', detail: string) => void,
    { fips, web = askTheWeb }: IssuerOptions,
  ) {
    this.web = web;
    this.algorithms = config.algorithms.filter((one) => !fips || one !== NOT_APPROVED);
    this.keys = new Keys({
      seconds: config.keysSeconds,
      ask: async () => {
        const found = await this.askForKeys();
        if (fips && areEdwards(found['keys'])) throw new KeysUnfit();
        return found;
      },
      report: (state, detail) => report(state, `${config.issuer}: ${detail}`),
    });
    void this.keys.warm();
  }

  async check(token: string, { audience, audienceClaim, certificate }: Wanted): Promise<Checked> {
    const { issuer, skewSeconds } = this.config;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.keys.keyFor, {
        issuer,
        algorithms: this.algorithms,
        clockTolerance: skewSeconds,
        requiredClaims: ['exp'],
        ...(audienceClaim === 'aud' ? { audience: [...audience] } : {}),
      });
      if (audienceClaim === 'client_id' && !audience.includes(String(payload['client_id']))) return { kind: 'bad', reason: 'wrong-audience' };
      const isOfType = TYPES.includes((protectedHeader.typ ?? 'jwt').toLowerCase().replace(/^application\//, ''));
      const isOfTheFuture = (payload.iat ?? 0) > Date.now() / 1000 + skewSeconds;
      if (!isOfType || isOfTheFuture || !isHeldBy(payload['cnf'], certificate)) return { kind: 'bad', reason: 'token-not-valid' };
      return { kind: 'good', claims: payload, until: (payload.exp! + skewSeconds) * 1000 };
    } catch (error) {
      // What such a key signs is refused by its algorithm, and is no fault of whoever brings it.
      const unavailable = error instanceof KeysUnavailable ? error.message : this.keys.unfit;
      if (unavailable !== undefined) return { kind: 'unavailable', reason: `${issuer}: ${unavailable}` };
      return { kind: 'bad', reason: reasonOf(error) };
    }
  }

  /** An address that the issuer says in its metadata. Throws an Error where it does not, or is somebody else. */
  async endpoint(name: string): Promise<string> {
    const value = (await this.said())[name];
    if (typeof value !== 'string' || !value.startsWith('https://')) throw new Error(`its metadata has no ${name} with https://`);
    return value;
  }

  /** Its metadata (OpenID Connect Discovery 1.0 section 4), asked for until it has answered once. */
  said(): Promise<Readonly<Record<string, unknown>>> {
    this.metadata ??= this.discover().catch((error) => {
      this.metadata = undefined;
      throw error;
    });
    return this.metadata;
  }

  /** Asks something of it by a form. */
  async post(url: string, form: URLSearchParams, headers: Readonly<Record<string, string>>) {
    return this.web(url, { ca: this.authorities.current, form, headers });
  }

  close(): void {
    this.authorities.close();
  }

  private async askForKeys(): Promise<Readonly<Record<string, unknown>>> {
    try {
      return await this.get(this.config.jwksUri ?? (await this.endpoint('jwks_uri')));
    } catch (error) {
      this.metadata = undefined; // they may lie elsewhere by now
      throw error;
    }
  }

  private async discover(): Promise<Readonly<Record<string, unknown>>> {
    const { issuer } = this.config;
    const said = await this.get(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    if (said['issuer'] !== issuer) throw new Error(`its metadata is of ${String(said['issuer']).slice(0, 200)}, which is somebody else`);
    return said;
  }

  private async get(url: string): Promise<Readonly<Record<string, unknown>>> {
    const { status, json } = await this.web(url, { ca: this.authorities.current });
    if (status !== 200) throw new Error(`${url}: answered ${status}`);
    return json;
  }
}

/** Whether there are keys and all are of Edwards curves (RFC 8037 section 2). */
function areEdwards(keys: unknown): boolean {
  return Array.isArray(keys) && keys.length > 0 && keys.every((key) => (key as { kty?: unknown } | null)?.kty === 'OKP');
}

/** A token that is tied to a key (RFC 7800) is good with that key alone: here, with the client's certificate (RFC 8705 section 3.1). */
function isHeldBy(tie: unknown, certificate: string | undefined): boolean {
  if (tie === undefined) return true;
  const wanted = (tie as Record<string, unknown> | null)?.['x5t#S256'];
  return certificate !== undefined && wanted === Buffer.from(certificate, 'hex').toString('base64url');
}

function reasonOf(error: unknown): RefusalReason {
  if (error instanceof errors.JWTExpired) return 'token-expired';
  return error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud' ? 'wrong-audience' : 'token-not-valid';
}

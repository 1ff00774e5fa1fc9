/**
 * An attempt to sign in at an issuer. Everything about it follows from a secret that the browser alone has, in a cookie: whoever comes back with the
 * state of another browser is nobody, and any worker or instance can go on with what another one began.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Attempt } from '../../identity/issuers/client';
import { newSecret, secretNamed } from './cookie';

/** Sent along where the issuer sends the browser back, which `Strict` would not be. */
const NAME = '__Host-ftps-elsewhere';
/** How long somebody has, at the issuer. Seconds. */
const LONGEST = 600;
const CALLBACK = '/api/v1/sign-in/callback';

export interface Begun extends Attempt {
  readonly cookie: string;
}

/** `way`: which of the settings. */
export function begun(way: number, host: string): Begun {
  const secret = newSecret();
  const state = stateOf(secret, way, Math.floor(Date.now() / 1000));
  return { ...attemptOf(secret, state, host), cookie: `${NAME}=${secret}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${LONGEST}` };
}

/** What the browser that comes back has begun; undefined where it has begun nothing, or not this. */
export function resumed(state: string, host: string, cookies: string | undefined): { readonly way: number; readonly attempt: Attempt } | undefined {
  const secret = secretNamed(NAME, cookies);
  const [, way, begunAt] = /^(\d{1,3})\.(\d{1,12})\.[\w-]{43}$/.exec(state) ?? [];
  if (secret === undefined || way === undefined) return undefined;
  const wanted = Buffer.from(stateOf(secret, Number(way), Number(begunAt)));
  const isOwn = wanted.length === state.length && timingSafeEqual(wanted, Buffer.from(state));
  return isOwn && Date.now() / 1000 - Number(begunAt) <= LONGEST ? { way: Number(way), attempt: attemptOf(secret, state, host) } : undefined;
}

export const CLEAR_ELSEWHERE = `${NAME}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`;

function stateOf(secret: string, way: number, begunAt: number): string {
  return `${way}.${begunAt}.${derived(secret, `state ${way} ${begunAt}`)}`;
}

function attemptOf(secret: string, state: string, host: string): Attempt {
  return { state, nonce: derived(secret, `nonce ${state}`), verifier: derived(secret, `verifier ${state}`), redirectUri: `https://${host}${CALLBACK}` };
}

function derived(secret: string, what: string): string {
  return createHmac('sha256', secret).update(what).digest('base64url');
}

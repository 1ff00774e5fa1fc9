/**
 * The state table: what a session may say when. Everything that depends on the state alone is decided here, before a command
 * runs; HELP shows the same table.
 */

/** Where a session stands. `plain`: not encrypted yet. `secured`: encrypted. `named`: USER was heard. `logged-in`. */
export type State = 'plain' | 'secured' | 'named' | 'logged-in';

/**
 * When a command is heard.
 * - `always`: even in plain text.
 * - `until-secured`: AUTH, which makes no sense twice.
 * - `until-named`: HOST, which comes before USER (RFC 7151 section 3.1).
 * - `once-secured`: as soon as the control connection is encrypted.
 * - `until-logged-in`: USER. `once-named`: PASS.
 * - `once-logged-in`: everything that touches files.
 */
export type Allowed = 'always' | 'until-secured' | 'until-named' | 'once-secured' | 'until-logged-in' | 'once-named' | 'once-logged-in';

/** The reply to a command that comes in the wrong state. */
export interface WrongState {
  readonly code: 202 | 503 | 530;
  readonly text: string;
}

const encryptFirst: WrongState = { code: 530, text: 'Encrypt first: send AUTH TLS (explicit FTPS), then log in.' };
const logInFirst: WrongState = { code: 530, text: 'Log in first: send USER, then PASS.' };
const encryptedAlready: WrongState = { code: 503, text: 'The connection is encrypted already.' };
const hostFirst: WrongState = { code: 503, text: 'HOST comes before USER.' };
const userFirst: WrongState = { code: 503, text: 'Send USER first.' };
const userAgain: WrongState = { code: 503, text: 'Logged in already; send REIN to change the account.' };
// RFC 959 section 4.2.2: superfluous, not wrong.
const passAgain: WrongState = { code: 202, text: 'Logged in already.' };
const yes = undefined;

const table: Readonly<Record<Allowed, Readonly<Record<State, WrongState | undefined>>>> = {
  always: { plain: yes, secured: yes, named: yes, 'logged-in': yes },
  'until-secured': { plain: yes, secured: encryptedAlready, named: encryptedAlready, 'logged-in': encryptedAlready },
  'until-named': { plain: yes, secured: yes, named: hostFirst, 'logged-in': hostFirst },
  'once-secured': { plain: encryptFirst, secured: yes, named: yes, 'logged-in': yes },
  'until-logged-in': { plain: encryptFirst, secured: yes, named: yes, 'logged-in': userAgain },
  'once-named': { plain: encryptFirst, secured: userFirst, named: yes, 'logged-in': passAgain },
  'once-logged-in': { plain: encryptFirst, secured: logInFirst, named: logInFirst, 'logged-in': yes },
};

/** Why a command is not heard in this state; undefined where it is. */
export function wrongState(allowed: Allowed, state: State): WrongState | undefined {
  return table[allowed][state];
}

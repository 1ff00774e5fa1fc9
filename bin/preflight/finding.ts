/** What was found before a deployment, in plain words, with what to do next. */

export interface Finding {
  /** What was looked at, one word that can be counted. */
  readonly check: string;
  /**
   * `problem`: the deployment would fail, or what it makes would not serve. `warning`: somebody should know. `unknown`: it could not be looked at, so nothing
   * is said for it; like a problem it does not pass.
   */
  readonly level: 'ok' | 'warning' | 'problem' | 'unknown';
  readonly text: string;
  /** The next step. */
  readonly advice?: string;
}

export const ok = (check: string, text: string): Finding => ({ check, level: 'ok', text });
export const warning = (check: string, text: string, advice: string): Finding => ({ check, level: 'warning', text, advice });
export const problem = (check: string, text: string, advice: string): Finding => ({ check, level: 'problem', text, advice });
export const unknown = (check: string, text: string, advice: string): Finding => ({ check, level: 'unknown', text, advice });

const DENIED = /^(AccessDenied|UnauthorizedOperation|AuthorizationError|NotAuthorized)|AccessDenied|not authorized to perform/;
const NO_CREDENTIALS = /^(CredentialsProviderError|InvalidClientTokenId|UnrecognizedClient|ExpiredToken|InvalidClientToken|AuthFailure|SignatureDoesNotMatch)/;

/** What a check found; where the caller may not look, that is the finding. Wrong credentials end it all. */
export async function looking(check: string, permission: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    const { name, message, $response } = error as Error & { readonly $response?: { readonly statusCode?: number } };
    if (NO_CREDENTIALS.test(name)) throw error;
    if (DENIED.test(name) || DENIED.test(message) || $response?.statusCode === 403)
      return [unknown(check, `could not be looked at: these credentials may not ${permission}`, `Allow ${permission}, or have somebody look who may.`)];
    return [unknown(check, `could not be looked at: ${message || name}`, `It takes ${permission}, and a way to AWS. Try again, or look yourself.`)];
  }
}

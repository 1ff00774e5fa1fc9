/** Why a request was refused, as a client reads it (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json';

interface Refused {
  readonly status: number;
  /** One word that a program can tell it by. */
  readonly code: string;
  /** In words for a person. */
  readonly title: string;
}

export function problemText({ status, code, title }: Refused): string {
  return `${JSON.stringify({ type: 'about:blank', status, code, title })}\n`;
}

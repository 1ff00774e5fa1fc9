/** Why a request was refused, as a client reads it (RFC 9457, application/problem+json). */
import { RefusedByScanner, StorageError, type StorageErrorCode } from '../../files/account-files';
import { BrokenOff } from '../../files/progress';
import { BadRequest } from '../../http/head';
import { PROBLEM_TYPE, problemText } from '../../http/problem';
import type { Headers } from '../../http/reply';

export class Problem extends Error {
  constructor(
    readonly status: number,
    /** One word that a program can tell it by. */
    readonly code: string,
    /** In words for a person. */
    message: string,
    readonly headers: Headers = {},
  ) {
    super(message);
    this.name = 'Problem';
  }

  get mediaType(): string {
    return PROBLEM_TYPE;
  }

  /** As it is sent. */
  get body(): string {
    return problemText({ status: this.status, code: this.code, title: this.message });
  }
}

/** As libraries of OAuth 2.0 read it, which has words of its own (RFC 6749 section 5.2). */
export class OAuthProblem extends Problem {
  override get mediaType(): string {
    return 'application/json; charset=utf-8';
  }

  override get body(): string {
    return `${JSON.stringify({ error: this.code, error_description: this.message })}\n`;
  }
}

const STORAGE: Readonly<Record<StorageErrorCode, number>> = {
  'not-found': 404,
  exists: 409,
  'is-directory': 409,
  'not-directory': 409,
  'not-empty': 409,
  denied: 403,
  'invalid-name': 400,
  'no-space': 507,
  quota: 507,
  offset: 409,
  unsupported: 422,
  unavailable: 503,
};

const SCANNER = { infected: 422, 'too-large': 422, error: 503 } as const;

/** What is not known to be safe to tell is not told. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StorageError) return new Problem(STORAGE[error.code], error.code, error.message);
  if (error instanceof RefusedByScanner) return new Problem(SCANNER[error.verdict], error.verdict === 'error' ? 'not-scanned' : error.verdict, error.message);
  if (error instanceof BadRequest) return new Problem(error.status, 'malformed', error.message);
  if (error instanceof BrokenOff) return new Problem(400, 'broken-off', `${error.message}.`);
  process.emitWarning(error as Error);
  return new Problem(500, 'unavailable', 'The server had an error of its own; try again.');
}

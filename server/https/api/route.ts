/** What the API can be asked, each said once: how it is called, what it takes and answers, and what it does. The OpenAPI document is made of the same. */
import type { z } from 'zod';
import type { AccountFiles } from '../../files/account-files';
import type { Headers } from '../../http/reply';
import type { Exchange, Visitor } from '../exchange';
import type { Links, Use } from '../links/links';
import type { LinkRecord } from '../links/record';
import type { Uploads } from '../uploads';

/** Its answer, or that it has answered by itself. */
export type Answer = { readonly status: number; readonly json?: unknown; readonly headers?: Headers } | 'answered';

/** Who asks for what. */
export interface Asked<Query, Sent> {
  readonly exchange: Exchange;
  /** What stands in the URL for its last part in braces; a `{path}` is absolute. */
  readonly at: string;
  /** What stands there for `{link}`, secret and all; '' where there is none. */
  readonly link: string;
  readonly query: Query;
  readonly body: Sent;
}

export interface KnownAsked<Query, Sent> extends Asked<Query, Sent> {
  readonly visitor: Visitor;
  readonly files: AccountFiles;
  /** Those that go on after a lost connection. */
  readonly uploads: Uploads;
  readonly links: Links;
  /** A path of the account's, absolute; throws where the visitor does not reach it. */
  path(text: string): string;
}

/** Somebody without an account who came by a link. */
export interface LinkAsked<Query, Sent> extends Asked<Query, Sent> {
  readonly record: LinkRecord;
  /** Of the account, with what the link allows. */
  readonly files: AccountFiles;
  readonly uploads: Uploads;
  readonly links: Links;
  /** Takes a use of the link, and tells the audit. Throws where there is none left. */
  use(): Promise<Use>;
}

export interface AnswerDescription {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Media type of what is no JSON. */
  readonly type?: string;
}

/** A header that a request may, or has to, have. */
export interface HeaderDescription {
  readonly description: string;
  /** What its value looks like. */
  readonly pattern?: string;
  /** The only one that it may have. */
  readonly value?: string;
  readonly isRequired?: true;
}

/** All of a route but who may ask for it, and what it does then. */
export interface Described {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`; `{path}` is everything that follows, any other name one part. */
  readonly at: string;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.ZodObject;
  /** Of a body that is JSON; `bytes`: it is a file. */
  readonly body?: z.ZodType | 'bytes';
  /** Media type of such a body. Default: `application/octet-stream`. */
  readonly bodyType?: string;
  /** Its body is a form (application/x-www-form-urlencoded), as OAuth has it; each name stands there once. */
  readonly isForm?: true;
  readonly headers?: Readonly<Record<string, string | HeaderDescription>>;
  /** Whether it may carry an Idempotency-Key: a second one like it would not have the same effect, or not the same answer. */
  readonly isKeyed?: true;
  /** Whether a page of another site may lead here, with parameters that nobody knows. */
  readonly isFromElsewhere?: true;
  readonly answers: Readonly<Record<number, AnswerDescription>>;
}

export type Route =
  | (Described & { readonly who: 'anybody'; handle(asked: Asked<never, never>): Promise<Answer> })
  | (Described & { readonly who: 'visitor'; handle(asked: KnownAsked<never, never>): Promise<Answer> })
  | (Described & { readonly who: 'link'; handle(asked: LinkAsked<never, never>): Promise<Answer> });

type QueryOf<Q> = Q extends z.ZodObject ? z.output<Q> : Record<string, never>;
type SentOf<B> = B extends z.ZodType ? z.output<B> : undefined;

/** For who is known. */
export function route<Q extends z.ZodObject | undefined, B extends z.ZodType | 'bytes' | undefined>(
  described: Omit<Described, 'query' | 'body'> & { readonly query?: Q; readonly body?: B; handle(asked: KnownAsked<QueryOf<Q>, SentOf<B>>): Promise<Answer> },
): Route {
  return { ...described, who: 'visitor' } as unknown as Route;
}

/** For everybody. */
export function openRoute<Q extends z.ZodObject | undefined, B extends z.ZodType | 'bytes' | undefined>(
  described: Omit<Described, 'query' | 'body'> & { readonly query?: Q; readonly body?: B; handle(asked: Asked<QueryOf<Q>, SentOf<B>>): Promise<Answer> },
): Route {
  return { ...described, who: 'anybody' } as unknown as Route;
}

/** For whoever comes by a link; `{link}` is a part of the address. */
export function linkRoute<Q extends z.ZodObject | undefined, B extends z.ZodType | 'bytes' | undefined>(
  described: Omit<Described, 'query' | 'body'> & { readonly query?: Q; readonly body?: B; handle(asked: LinkAsked<QueryOf<Q>, SentOf<B>>): Promise<Answer> },
): Route {
  return { ...described, who: 'link' } as unknown as Route;
}

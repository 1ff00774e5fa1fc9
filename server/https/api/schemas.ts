/** What the API takes and answers. */
import { z } from 'zod';

/** What a path can have in it, in addresses and bodies; what else is wrong with one its refusal says. */
export const PATH_PATTERN = '^[^\\u0000-\\u001f\\u007f\\ufffe\\uffff]+$';

export const pathText = z.string().min(1).meta({ pattern: PATH_PATTERN });

export const entry = z
  .strictObject({
    path: z.string().describe('As the account names it, absolute.'),
    name: z.string(),
    type: z.enum(['file', 'directory']),
    size: z.number().int().min(0).describe('Bytes; 0 for a folder.'),
    modified: z.iso.datetime(),
    etag: z.string().optional().describe('Of a file: changes with its content. For If-Match and If-None-Match.'),
  })
  .meta({ id: 'Entry' });

export const listing = z
  .strictObject({
    path: z.string(),
    entries: z.array(entry),
    total: z.number().int().min(0).describe('Entries that fit the search, on all pages.'),
    next: z.string().optional().describe('`cursor` of the next page; absent on the last one.'),
  })
  .meta({ id: 'Listing' });

export const uploaded = z
  .strictObject({
    path: z.string(),
    size: z.number().int().min(0).describe('Bytes.'),
    sha256: z.string().optional().describe('Of the bytes that came, hexadecimal; absent where the server does not hash uploads.'),
    etag: z.string().optional(),
    held: z.boolean().describe('Whether it is safe and appears only when a scanner that works on its own has found it clean.'),
  })
  .meta({ id: 'Uploaded' });

export const problem = z
  .strictObject({
    type: z.string(),
    status: z.number().int(),
    code: z.string().describe('One word that a program can tell it by.'),
    title: z.string().describe('In words for a person.'),
  })
  .meta({ id: 'Problem' });

export const visitor = z
  .strictObject({
    user: z.string(),
    via: z.enum(['sign-in', 'token']),
    permissions: z.array(z.string()),
    folder: z.string().describe('What is reached: `/`, or the folder of a token.'),
    links: z.array(z.enum(['download', 'drop'])).describe('Kinds of links that it can make for somebody without an account; none where the server makes none.'),
  })
  .meta({ id: 'Visitor' });

export const link = z
  .strictObject({
    id: z.string(),
    kind: z.enum(['download', 'drop']),
    path: z.string().describe('The file that is downloaded, or the folder that is uploaded into.'),
    title: z.string().describe('What is shown to who opens it.'),
    created: z.iso.datetime(),
    expires: z.iso.datetime(),
    uses: z.number().int().describe('How often it may be used: downloads that are begun, or files that are uploaded.'),
    used: z.number().int(),
    hasPassword: z.boolean(),
    token: z.string().optional().describe('Id of the token that made it, and with which it ends.'),
  })
  .meta({ id: 'Link' });

export const madeLink = link.extend({ url: z.string().describe('The address, with its secret. It is told this once.') }).meta({ id: 'MadeLink' });

export const sharedLink = z
  .strictObject({
    kind: z.enum(['download', 'drop']),
    title: z.string(),
    name: z.string().optional().describe('Of the file that is downloaded.'),
    size: z.number().int().min(0).optional().describe('Its size. Bytes.'),
    modified: z.iso.datetime().optional(),
    expires: z.iso.datetime(),
    left: z.number().int().min(0).describe('How often the link may still be used.'),
  })
  .meta({ id: 'SharedLink' });

export const dropped = z
  .strictObject({
    name: z.string().describe('As it was sent. Where the folder has a file of that name it is kept under another one.'),
    size: z.number().int().min(0).describe('Bytes.'),
    sha256: z.string().optional().describe('Of the bytes that came, hexadecimal; absent where the server does not hash uploads.'),
    held: z.boolean().describe('Whether it is safe and is let through only when a scanner that works on its own has found it clean.'),
  })
  .meta({ id: 'Dropped' });

export const session = z
  .strictObject({
    id: z.string(),
    protocol: z.string(),
    listener: z.string(),
    address: z.string(),
    since: z.iso.datetime(),
    transfer: z
      .strictObject({
        command: z.string(),
        path: z.string(),
        bytes: z.number().int(),
        total: z.number().int().optional(),
        seconds: z.number(),
      })
      .optional(),
  })
  .meta({ id: 'Session' });

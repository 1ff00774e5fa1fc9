/** AS2 (RFC 4130): who we are, who our partners are, and what is agreed on with each. */
import { z } from 'zod';
import { certificateFiles, certificateSecret } from './key-source';
import { network } from './network';
import { count } from './values';

const seconds = (text: string) => z.number().positive().max(2_592_000).describe(`${text} Seconds.`);
const port = (text: string) => z.number().int().min(0).max(65_535).optional().describe(`${text} 0 means any free port, for tests and laptops.`);

const as2Id = z
  .string()
  .regex(/^[\x20-\x7e]{1,128}$/, 'expected 1 to 128 printable ASCII characters')
  .refine((name) => name.trim() === name, 'expected a name without blanks at its ends');

const keyPair = z.discriminatedUnion('kind', [certificateFiles, certificateSecret]);

const certificate = z.string().min(1);

const folder = (text: string) =>
  z
    .string()
    .regex(/^\/([^/\p{Cc}]+(\/[^/\p{Cc}]+)*)$/u, 'expected an absolute path without a slash at its end, for example /inbox')
    .regex(/^(?!.*\/\.{1,2}(\/|$))/, 'expected a path without `.` and `..` as folders')
    .describe(text);

const digest = z.enum(['sha1', 'sha256', 'sha384', 'sha512']);
const cipher = z.enum(['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'aes-128-gcm', 'aes-192-gcm', 'aes-256-gcm', 'des-ede3-cbc']);

const contentType = z.string().regex(/^[\w.+-]+\/[\w.+-]+(;[^\p{Cc}]*)?$/u, 'expected a type, for example application/edifact');

const url = z.string().regex(/^https?:\/\/[^\s@]+$/, 'expected https://host/path, without a name and password in it');

const as2PartnerSchema = z.strictObject({
  as2Id: as2Id.describe('Name of the partner, as it stands in AS2-From of its messages. Upper and lower case differ.'),
  account: z
    .string()
    .min(1)
    .describe('Account whose home, quota, bandwidth, networks and scanner are those of this partner. It needs a record in a file or in Secrets Manager.'),
  url: url.optional().describe('Where messages to the partner go. Absent: none are sent.'),
  allowPlainHttp: z
    .boolean()
    .default(false)
    .describe(
      'Whether `url` and the addresses for receipts may be `http://`. What goes there is protected by the message itself alone, and is to be signed and encrypted.',
    ),
  tlsCa: z
    .string()
    .min(1)
    .optional()
    .describe("Authorities of the partner's HTTPS server: a PEM file, read for each message, or the PEM text itself. Absent means the well-known ones."),
  certificates: z
    .array(certificate)
    .default([])
    .describe(
      'Certificates by which the partner signs, each a PEM file, which is watched, or the PEM text itself: no other is believed, and no authority is asked. Two while one follows the other.',
    ),
  encryptionCertificate: certificate
    .optional()
    .describe('The certificate that messages to the partner are encrypted for, in the same forms. Absent: the first of `certificates`.'),
  require: z
    .strictObject({
      signed: z.boolean().default(true).describe('Whether messages that are not signed are refused.'),
      encrypted: z.boolean().default(true).describe('Whether messages that are not encrypted are refused.'),
    })
    .prefault({})
    .describe('What messages of the partner have to be.'),
  digests: z
    .array(digest)
    .min(1)
    .default(['sha256', 'sha384', 'sha512'])
    .describe('Digests that the partner may sign with. `sha1` is for partners that know no other.'),
  ciphers: z
    .array(cipher)
    .min(1)
    .default(['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'aes-128-gcm', 'aes-192-gcm', 'aes-256-gcm'])
    .describe('Ciphers that the partner may encrypt with. `des-ede3-cbc` (3DES) is for partners that know no other.'),
  allowExpired: z.boolean().default(false).describe('Whether a certificate of the partner counts that is out of date.'),
  send: z
    .strictObject({
      sign: z
        .union([z.literal(false), digest])
        .default('sha256')
        .describe('Digest that messages are signed with; `false` signs nothing.'),
      encrypt: z
        .union([z.literal(false), cipher])
        .default('aes-256-cbc')
        .describe('Cipher that messages are encrypted with; `false` encrypts nothing.'),
      keyTransport: z
        .enum(['rsa-pkcs1', 'rsa-oaep'])
        .default('rsa-pkcs1')
        .describe('How the key of a message is encrypted for an RSA certificate: the way that every partner reads, or the better one.'),
      compress: z
        .enum(['off', 'before-signing', 'after-signing'])
        .default('off')
        .describe('Whether messages are compressed (RFC 5402), and when. A compressed message beyond 1 MiB has no Content-Length.'),
      base64: z.boolean().default(false).describe('Whether what is in a message is encoded as base64, for partners that can not read binary.'),
      contentType: contentType
        .default('application/octet-stream')
        .describe('Type of the files, for example `application/edi-x12` or `application/edifact` (RFC 1767).'),
      contentTypes: z
        .record(z.string(), contentType)
        .refine(
          (types) => Object.keys(types).every((ending) => /^[a-z0-9_-]{1,32}$/.test(ending)),
          'expected endings of names in lower case and without a dot, for example pdf',
        )
        .default({})
        .describe('Types of files by the ending of their names, for example `{ "pdf": "application/pdf" }`. What is not named here has `contentType`.'),
      subject: z
        .string()
        .max(200)
        .regex(/^[\x20-\x7e]+$/, 'expected one line of ASCII')
        .default('AS2 message')
        .describe('Subject of messages.'),
    })
    .prefault({})
    .describe('How messages to the partner are made.'),
  receipt: z
    .strictObject({
      kind: z
        .enum(['sync', 'async', 'none'])
        .default('sync')
        .describe('How the partner is to receipt messages: in the answer, by a request of its own to `identity.url`, or not at all.'),
      signed: z.boolean().default(true).describe('Whether receipts have to be signed.'),
      waitSeconds: seconds('An asynchronous receipt that has not come by then counts as none: the message is sent again, with the same Message-ID.').default(
        7_200,
      ),
    })
    .prefault({})
    .describe('Receipts for what is sent (MDN, RFC 4130 section 7).'),
  receiptHosts: z
    .array(z.string().regex(/^[a-z0-9.-]+(:\d{1,5})?$/i, 'expected a host, with or without a port'))
    .default([])
    .describe('Hosts to which asynchronous receipts may go, beside that of `url`. A message that wants its receipt elsewhere is refused.'),
  inbox: folder('Folder of the account into which payloads come; made where it is missing.').default('/inbox'),
  outbox: folder(
    'Folder of the account whose files are sent, each as a message; a folder in it with a list `send.txt` is one message of several files. Names that begin with a dot or end with `.part`, `.filepart` or `.tmp` are left alone.',
  ).default('/outbox'),
  sent: z
    .union([z.literal('remove'), folder('')])
    .default('/sent')
    .describe('Folder to which files go that the partner has taken; `remove` deletes them.'),
  failed: folder('Folder to which files go that the partner has refused, or did not take in all attempts.').default('/failed'),
  retry: z
    .strictObject({
      attempts: count('How often a message is sent at most.').default(12),
      firstSeconds: seconds('Wait after the first attempt that failed; each further one doubles it.').default(60),
      longestSeconds: seconds('The longest wait.').default(14_400),
    })
    .prefault({})
    .describe('What happens when the partner can not be reached, or answers with an error of HTTP. What it has refused by a receipt is not sent again.'),
  restart: z
    .strictObject({
      receive: z
        .boolean()
        .default(false)
        .describe('Whether what has come of a long message is kept when its connection ends, so that the partner can send the rest by the same `Etag`.'),
      send: z
        .boolean()
        .default(false)
        .describe(
          'Whether long messages to the partner go on where they were cut. They are written to the storage before they leave, and take that much of it meanwhile.',
        ),
    })
    .prefault({})
    .describe('Messages that go on after a lost connection (draft-harding-as2-restart-07), where both sides have agreed on it.'),
  silentSeconds: seconds('How long the partner may take for its answer, or for taking anything.').default(300),
});

export const as2Schema = z.strictObject({
  path: z
    .string()
    .regex(/^\/[\w.~/-]+$/, 'expected a path, for example /as2')
    .default('/as2')
    .describe('Path of the address to which partners send.'),
  host: z.string().default('::').describe('The address to listen on where AS2 has a port of its own; `::` is every IPv4 and IPv6 address.'),
  port: port('A port of its own for AS2, over TLS. Absent: the port of `https`.'),
  plainPort: port('A port for AS2 without TLS, for partners that know no other way: what they send is protected by the message itself alone. Absent: none.'),
  allow: z
    .array(network)
    .default([])
    .describe('Client networks that may connect to the ports of AS2; empty means every network that the security group lets in.'),
  deny: z.array(network).default([]).describe('Client networks that are refused, checked before `allow`.'),
  proxyProtocolFrom: z
    .array(network)
    .default([])
    .describe('Load balancers that put a PROXY protocol v2 header before the first byte. From these networks it is required, from all others it is not read.'),
  identity: z
    .strictObject({
      as2Id: as2Id.describe('Our name, as it stands in AS2-To of the messages of partners.'),
      url: url.optional().describe('Where partners send asynchronous receipts: the address of `path` as they reach it.'),
      signing: keyPair.describe('By which messages and receipts are signed. Partners need its certificate.'),
      decryption: z
        .array(keyPair)
        .default([])
        .describe(
          'Keys that messages of partners are encrypted for, several while one follows the other; a secret may have `next` and `previous` beside its own, in the same form. Empty: what `signing` has.',
        ),
    })
    .describe('Who we are.'),
  partners: z.array(as2PartnerSchema).default([]).describe('With whom messages are exchanged, and how.'),
  messageBytes: z
    .number()
    .int()
    .positive()
    .default(2 * 1024 * 1024 * 1024)
    .describe('The largest message that is taken, and what all of its payloads may have together. Bytes.'),
  keepDays: z
    .number()
    .positive()
    .default(365)
    .describe(
      'How long what was exchanged is known: who sent what to whom, digests, and the receipt. As long a repeated Message-ID gets the receipt of the first. Days.',
    ),
  keepMessageBytes: z
    .number()
    .int()
    .min(0)
    .max(64 * 1024 * 1024)
    .default(1024 * 1024)
    .describe('Messages up to this size are kept beside their receipts as they came, signature and all. 0 keeps none. Bytes.'),
  restart: z
    .strictObject({
      fromBytes: z
        .number()
        .int()
        .positive()
        .default(16 * 1024 * 1024)
        .describe('Messages shorter than this are sent again as a whole, and nothing of them is kept. Bytes.'),
      keptBytes: z
        .number()
        .int()
        .positive()
        .default(32 * 1024 * 1024 * 1024)
        .describe('What all messages that are kept may have together, once for those that come and once for those that go; beyond it none is kept. Bytes.'),
      keepHours: z.number().positive().max(720).default(24).describe('How long a message waits for its rest. Hours.'),
    })
    .prefault({})
    .describe('What is kept of messages of partners that have `restart`.'),
  outboxSeconds: seconds('How often outboxes are looked through for files that did not come in by this process.').default(15),
});

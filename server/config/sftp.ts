/** SFTP and SCP: host keys, public keys, and what lets nobody in any more. */
import { z } from 'zod';
import { file, port, seconds, whoMayConnect } from './values';

/** A public key of a user. */
export const publicKey = z
  .string()
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) AAAA[A-Za-z0-9+/]+={0,2}( [^\p{Cc}]*)?$/u,
    'expected a line as `ssh-keygen` writes it into a .pub file: ssh-ed25519 AAAA… name',
  );

/** What lets nobody in any more: a key, or certificates by number or name. */
export const revocation = z
  .string()
  .regex(
    /^(SHA256:[A-Za-z0-9+/]{43}|serial:\d{1,20}(-\d{1,20})?|id:[^\p{Cc}]+)$/u,
    'expected SHA256:… as `ssh-keygen -l` prints it, serial:7, serial:7-12, or id: and the name that the authority gave the certificate',
  );

const hostKeyFile = z.strictObject({
  kind: z.literal('file'),
  file: file(
    'Private key as `ssh-keygen` or OpenSSL writes it, without a passphrase: Ed25519, ECDSA on P-256, P-384 or P-521, or RSA of 2048 bits or more; or several, one behind the other. Watched.',
  ),
});

const hostKeySecret = z.strictObject({
  kind: z.literal('secret'),
  secretId: z.string().min(1).describe('Secrets Manager secret with `privateKey`, or `privateKeys`, a list, in the same forms.'),
  pollSeconds: seconds('How often the secret is looked at, plus or minus a tenth.').default(60),
});

export const sftpSchema = z.strictObject({
  host: z.string().default('::').describe('The address to listen on; `::` is every IPv4 and IPv6 address.'),
  port: port('The port of SFTP: 22 by custom, 2022 beside another SSH daemon.'),
  hostKeys: z
    .array(z.discriminatedUnion('kind', [hostKeyFile, hostKeySecret]))
    .min(1)
    .describe(
      'Keys by which clients know the server. Of several of one type the first is used; clients are told of the others after the login (`hostkeys-00@openssh.com`), so that they know them before they are used. Every instance has the same ones. Which algorithms are taken follows from `tls.policy`: with `fips`, neither Ed25519 nor X25519.',
    ),
  ...whoMayConnect,
  userCertificates: z
    .strictObject({
      authorities: z
        .array(publicKey)
        .default([])
        .describe(
          'Authorities whose certificates of users (`ssh-keygen -s`) are taken for every account that does not name its own, each as the line of its `.pub` file. The certificate must name the account among its principals.',
        ),
      revoked: z
        .array(revocation)
        .default([])
        .describe(
          'What lets nobody in any more: `SHA256:…` a key of a user or of an authority, `serial:7` or `serial:7-12` certificates by number, `id:NAME` by the name that the authority gave them.',
        ),
      revocationList: z
        .string()
        .min(1)
        .optional()
        .describe(
          'The same in a file: a list as `ssh-keygen -k` makes it (KRL), or lines, each a public key or as in `revoked`. A file, which is watched, or `s3://bucket/key`, which is asked for in turns. One that can not be read when the server starts keeps it from starting; later, the last good one stays.',
        ),
      pollSeconds: seconds('How often a `revocationList` in S3 is looked at, plus or minus a tenth.').default(300),
    })
    .prefault({})
    .describe('Certificates of users, beside the keys that accounts have.'),
  tries: z
    .number()
    .int()
    .min(2)
    .max(100)
    .default(10)
    .describe(
      'Requests to log in after which a connection is closed, offered keys included: an agent offers each that it has. Of passwords that are wrong `limits.loginAttempts` are enough.',
    ),
  handshakeSeconds: seconds('A connection that has agreed on no keys by then is dropped.').default(10),
  scp: z
    .boolean()
    .default(false)
    .describe(
      'Whether the old protocol of scp is spoken as well (`scp -O`, WinSCP in SCP mode). The scp of OpenSSH 9 and later uses SFTP and needs none of it.',
    ),
  attributes: z
    .enum(['ignore', 'refuse'])
    .default('ignore')
    .describe(
      'What a client is told that wants to set permissions or owners, which are not kept: that it is done, as most clients need it, or that it is not.',
    ),
});

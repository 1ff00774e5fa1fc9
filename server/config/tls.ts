/** TLS of every listener: policy, certificates, and whose client certificates count. */
import { z } from 'zod';
import { dataTlsReuse } from './ftps';
import { certificateFiles, certificateSecret } from './key-source';
import { seconds } from './values';

export const tlsSchema = z.strictObject({
  policy: z
    .enum(['modern', 'fips'])
    .default('modern')
    .describe('`modern`: TLS 1.2 and 1.3, ECDHE, AEAD. `fips`: the same within FIPS 140-3; the server refuses to run unless the OpenSSL provider behaves so.'),
  certificates: z
    .array(z.discriminatedUnion('kind', [certificateFiles, certificateSecret]))
    .min(1)
    .describe('Served side by side: RSA and ECDSA of one name, or several names chosen by SNI. The first is the default.'),
  clientCa: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM bundle of the authorities whose client certificates are taken: a file, which is watched, or `s3://bucket/key`, which is asked for in turns.',
    ),
  clientCrl: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM revocation lists of those authorities, one for each: a file, which is watched, or `s3://bucket/key`, which is asked for in turns. A certificate whose authority has no list there, or one that is out of date, is refused.',
    ),
  clientPollSeconds: seconds('How often `clientCa` and `clientCrl` are looked at in S3, plus or minus a tenth.').default(300),
  ocspStapling: z
    .boolean()
    .default(true)
    .describe('Whether the authority is asked in the background if a certificate still stands, where it says how, and the answer stapled (RFC 6066).'),
  dataTlsReuse: dataTlsReuse.default('preferred'),
  handshakeSeconds: seconds('A handshake that takes longer is dropped.').default(10),
});

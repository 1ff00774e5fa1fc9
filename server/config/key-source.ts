/** Where a certificate and its private key are read. */
import { z } from 'zod';

const file = (text: string) => z.string().min(1).describe(text);

export const certificateFiles = z.strictObject({
  kind: z.literal('file'),
  certificate: file('PEM file: the certificate, then its chain. Watched; a changed file is taken up within a second.'),
  key: file('PEM file with the private key.'),
});
export const certificateSecret = z.strictObject({
  kind: z.literal('secret'),
  secretId: z.string().min(1).describe('Secrets Manager secret with `certificate`, `chain` and `privateKey` in PEM, as the rotation Lambda writes it.'),
  pollSeconds: z.number().positive().max(86_400).describe('How often the secret is looked at, plus or minus a tenth. Seconds.').default(60),
});

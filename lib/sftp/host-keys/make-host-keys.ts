/** New host keys, one of each type that clients of any age take. */
import { generateKeyPairSync } from 'node:crypto';

/** PKCS #8 in PEM. RSA as long as NIST SP 800-57 part 1 has it for the years after 2030. Within FIPS 140-3, servers take no Ed25519. */
export function makeHostKeys({ fips }: { readonly fips: boolean }): string[] {
  const pairs = [
    ...(fips ? [] : [generateKeyPairSync('ed25519')]),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('rsa', { modulusLength: 3_072 }),
  ];
  return pairs.map(({ privateKey }) => privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
}

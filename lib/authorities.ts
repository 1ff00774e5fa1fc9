/** Authorities that somebody gives as text, for endpoints of his. */
import { Token } from 'aws-cdk-lib';
import type { Problem } from '../server/config';

/** An instance has none of the files of whoever writes the app: what is no PEM text, the name of a file for example, is told. */
export function caProblems(ca: string | undefined, key: string): Problem[] {
  if (ca === undefined || Token.isUnresolved(ca) || ca.includes('-----BEGIN CERTIFICATE-----')) return [];
  return [{ key, message: `${JSON.stringify(ca.slice(0, 60))} has no certificate in PEM; give the text, readFileSync('ca.pem', 'utf8') for example` }];
}

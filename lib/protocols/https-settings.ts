/** What a platform engineer says about HTTPS. */
import type { Duration } from 'aws-cdk-lib';
import type { ClientCertificates } from './client-certificates';

/** HTTPS: the same accounts and files in a browser and by an API, on a port of its own, with the certificates of FTPS. */
export interface HttpsSettings {
  /**
   * Its port.
   * @default 443
   */
  readonly port?: number;
  /**
   * Whether clients present certificates, which takes a `clientTrust`. Browsers ask their user for one.
   * @default ClientCertificates.OFF
   */
  readonly clientCertificates?: ClientCertificates;
  /**
   * Requests in a minute of one account; more are answered 429. Each worker of an instance counts for itself.
   * @default 6000
   */
  readonly requestsPerMinute?: number;
  /**
   * Who signed in with a password signs in again after that long in any case.
   * @default Duration.hours(12)
   */
  readonly signInTimeout?: Duration;
  /**
   * Who signed in with a password and asks for nothing that long signs in again.
   * @default - `idleTimeout` of the server, fifteen minutes
   */
  readonly signInIdleTimeout?: Duration;
  /**
   * An upload that was begun to go on after a lost connection is given up when nobody does for that long.
   * @default Duration.hours(1)
   */
  readonly uploadIdleTimeout?: Duration;
}

/** What a platform engineer says about HTTPS. */
import type { Duration } from 'aws-cdk-lib';
import type { TokenIssuer } from '../identity/token-issuer';
import type { ClientCertificates } from './client-certificates';

/** Links by which somebody without an account downloads one file, or uploads into one folder and sees nothing of it. */
export interface HttpsLinks {
  /**
   * How long a link is good where whoever makes it does not say.
   * @default Duration.days(7)
   */
  readonly defaultDuration?: Duration;
  /**
   * How long one is good at most.
   * @default Duration.days(30)
   */
  readonly maxDuration?: Duration;
  /**
   * How often one may be used at most: downloads that were begun, files that were uploaded.
   * @default 100
   */
  readonly maxUses?: number;
  /**
   * Links that one account may have at once.
   * @default 100
   */
  readonly maxPerAccount?: number;
}

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
   * Requests in a minute of one account; more are answered 429. Each instance counts for itself.
   * @default 6000
   */
  readonly requestsPerMinute?: number;
  /**
   * Who signed in in a browser, with a password or at an issuer, signs in again after that long in any case.
   * @default Duration.hours(12)
   */
  readonly signInTimeout?: Duration;
  /**
   * Who signed in and asks for nothing that long signs in again.
   * @default - `idleTimeout` of the server, fifteen minutes
   */
  readonly signInIdleTimeout?: Duration;
  /**
   * An upload that was begun to go on after a lost connection is given up when nobody does for that long.
   * @default Duration.hours(1)
   */
  readonly uploadIdleTimeout?: Duration;
  /**
   * Links that accounts may make for somebody who has none; `{}` for the usual ones.
   * @default - none are made, and those that were are good for nothing
   */
  readonly links?: HttpsLinks;
  /**
   * Who else may say who somebody is: issuers of OpenID Connect and OAuth 2.0, whose tokens programs send, and at which people may sign in.
   * @default - none; people sign in with their passwords or certificates, programs with tokens of the server
   */
  readonly issuers?: TokenIssuer[];
}

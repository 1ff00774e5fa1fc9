/** What the doctor logs in with over SSH. */
export interface SshCredentials {
  readonly user: string;
  readonly password?: string;
  /** Private key without a passphrase: OpenSSH's own format, or PEM. */
  readonly privateKey?: string;
}

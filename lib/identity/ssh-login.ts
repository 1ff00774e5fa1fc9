/** What an account needs to log in over SSH, wherever the account is. */

/** What an account needs to log in over SSH. */
export enum SshLogin {
  /** Its password, or any one of its keys. */
  PASSWORD_OR_KEY = 'password-or-key',
  /** One of its keys; its password is for FTPS alone. */
  KEY = 'key',
  /** One of its keys, and then its password. */
  KEY_AND_PASSWORD = 'key-and-password',
}

/** Which certificates of users (`ssh-keygen -s`) stand for an account over SSH; each is as good as one of its keys. */
export interface SshCertificates {
  /**
   * Names of which a certificate must have one among its principals; with none of them (`[]`), no certificate stands for the account.
   * @default - the name of the account
   */
  readonly principals?: string[];
  /**
   * Authorities whose certificates are taken for this account, in place of those of the server, each a line as `ssh-keygen` writes it into a `.pub` file.
   * @default - those of `server.sftp.userCertificates`
   */
  readonly authorities?: string[];
}

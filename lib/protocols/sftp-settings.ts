/** What a platform engineer says about SFTP. */

/** Certificates of users (`ssh-keygen -s`), beside the keys that accounts have. */
export interface SftpUserCertificates {
  /**
   * Authorities whose certificates are taken for every account that does not name its own, each a line as `ssh-keygen` writes it into a `.pub` file. A
   * certificate must name the account among its principals, unless the account says otherwise (`sshCertificates`).
   * @default - none
   */
  readonly authorities?: string[];
  /**
   * What lets nobody in any more: `SHA256:…` a key of a user or of an authority, `serial:7` or `serial:7-12` certificates by number, `id:NAME` by the name
   * that the authority gave them.
   * @default - nothing
   */
  readonly revoked?: string[];
  /**
   * The same in an object of S3 (`s3://bucket/key`), which is looked at every five minutes: a list as `ssh-keygen -k` makes it, or lines, each a public key or
   * as in `revoked`. The instances may read it, and do not begin without it. If the bucket has a key of KMS, grant that as well: `key.grantDecrypt(service)`.
   * @default - none
   */
  readonly revocationList?: string;
}

/** SFTP: the same accounts and files over SSH, on a port of its own. Its host keys are `hostKeys` of the service. */
export interface SftpSettings {
  /**
   * Its port: 22, where clients look for it, or another one, 2022 by custom.
   * @default 22
   */
  readonly port?: number;
  /**
   * Whether the old protocol of scp is spoken as well (`scp -O`, WinSCP in SCP mode). The scp of OpenSSH 9 and later is SFTP.
   * @default false
   */
  readonly scp?: boolean;
  /**
   * Certificates of users: whose are taken, and what was revoked.
   * @default - none are taken
   */
  readonly userCertificates?: SftpUserCertificates;
}

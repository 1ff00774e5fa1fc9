/** What a platform engineer says about SFTP. */

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
}

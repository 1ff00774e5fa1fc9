/** Extensions that are there, with their revisions (OpenSSH's PROTOCOL, section 4; draft-ietf-secsh-filexfer-extensions-00): only what works is named. */

export const extensions = {
  'posix-rename@openssh.com': '1',
  'statvfs@openssh.com': '2',
  'fstatvfs@openssh.com': '2',
  'fsync@openssh.com': '1',
  'lsetstat@openssh.com': '1',
  'limits@openssh.com': '1',
  'expand-path@openssh.com': '1',
  'copy-data': '1',
} as const;

export type ExtensionName = keyof typeof extensions;

export function isExtension(name: string): name is ExtensionName {
  return Object.hasOwn(extensions, name);
}

/** The most that one READ is answered with, and one WRITE may bring: what OpenSSH's client asks for. Bytes. */
export const LARGEST_READ = 255 * 1_024;
export const LARGEST_WRITE = 255 * 1_024;

/** What somebody else says of a user, as a part of a path. */

/** Whether it can name one folder and leads nowhere else. */
export function isFolderName(value: string): boolean {
  return value !== '.' && value !== '..' && /^[^/\\\p{Cc}]{1,128}$/u.test(value);
}

/** What people type as their name: `ann`, `ann@corp.example.com`, `CORP\ann`. */

/** The name without its realm. Undefined where the realm before a backslash is not one of this directory. */
export function userOf(login: string, realms: readonly string[]): string | undefined {
  const known = (realm: string) => realms.some((one) => one.toLowerCase() === realm.toLowerCase());
  const backslash = login.indexOf('\\');
  if (backslash >= 0) return known(login.slice(0, backslash)) ? login.slice(backslash + 1) || undefined : undefined;
  const at = login.lastIndexOf('@');
  // Another realm may belong to a name as it stands in the directory: a further UPN suffix, an e-mail address.
  return at > 0 && known(login.slice(at + 1)) ? login.slice(0, at) : login;
}

/** What a new password must have. */

/** PCI DSS 4.0 requirement 8.3.6. */
const SHORTEST = 12;
const LONGEST = 256;

/** What speaks against a password; empty where nothing does. */
export function passwordProblems(password: string, user: string): string[] {
  const problems: string[] = [];
  if (password.length < SHORTEST) problems.push(`it has ${password.length} characters; ${SHORTEST} are needed`);
  if (Buffer.byteLength(password) > LONGEST) problems.push(`it is longer than ${LONGEST} bytes`);
  if (!/\p{L}/u.test(password) || !/\p{N}/u.test(password)) problems.push('it needs both letters and digits');
  if (/\p{Cc}/u.test(password)) problems.push('it has a control character, which no FTP client can send');
  if (/^\s|\s$/.test(password)) problems.push('it begins or ends with a blank, which people and clients lose');
  if (user.length >= 3 && password.toLowerCase().includes(user.toLowerCase())) problems.push('it has the name of the account in it');
  if (new Set(password).size < 5) problems.push('it repeats too few different characters');
  return problems;
}

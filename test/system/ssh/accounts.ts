/** Accounts of these tests beside the first, which has a password and a key. */

/** Needs the key and then the password. */
export const BOTH = 'both';
/** May change nothing. */
export const READER = 'reader';

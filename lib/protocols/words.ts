/** Lists as people write them. */

/** Each word once, in its order: `TLS`, `TLS and SSH`, `FTPS, SFTP and HTTPS`. */
export function listed(words: readonly string[], last: 'and' | 'or'): string {
  const each = [...new Set(words)];
  return each.length > 1 ? `${each.slice(0, -1).join(', ')} ${last} ${each.at(-1)}` : each.join('');
}

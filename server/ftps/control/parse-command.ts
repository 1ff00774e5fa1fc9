/** Cuts a line at its first blank; everything behind it is the argument, byte for byte. */
export function parseCommand(text: string): { name: string; argument: string } {
  const match = /^([A-Za-z][A-Za-z0-9]{0,15})(?: (.*))?$/s.exec(text);
  const name = match?.[1]?.toUpperCase() ?? '';
  return { name, argument: match?.[2] ?? '' };
}

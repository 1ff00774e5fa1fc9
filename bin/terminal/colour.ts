/** Whether and how a stream is written to in colour. */
import pc from 'picocolors';

type Stream = { readonly isTTY?: boolean };

/**
 * Colour is for terminals: not for files and pipes, not where NO_COLOR is set to anything (no-color.org), not on TERM=dumb. FORCE_COLOR
 * asks for it all the same.
 */
export function wantsColour({ isTTY = false }: Stream, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0';
  return isTTY && env['TERM'] !== 'dumb';
}

/** Functions that colour a text for this stream, or leave it as it is. */
export const paintsFor = (stream: Stream) => pc.createColors(wantsColour(stream));

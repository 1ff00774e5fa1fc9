/** A part of MIME on its way out: its headers, and a body that streams. */

export interface Part {
  /** As they are written, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Of the body, where known. */
  readonly size: number | undefined;
  readonly body: AsyncIterable<Buffer>;
}

/** The headers with the empty line behind them. */
export function headerBlock(part: Part): Buffer {
  return Buffer.from(`${part.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`, 'utf8');
}

/** A part as it stands in what is around it: how long, and its bytes. */
export function asContent(part: Part): { readonly size: number | undefined; readonly body: AsyncIterable<Buffer> } {
  const block = headerBlock(part);
  return { size: part.size === undefined ? undefined : block.length + part.size, body: joined([block], part.body) };
}

/** One behind the other. */
export async function* joined(...all: readonly (Iterable<Buffer> | AsyncIterable<Buffer>)[]): AsyncGenerator<Buffer, void, undefined> {
  for (const one of all) yield* one;
}

/** Adds what is known; undefined where anything is not. */
export function total(sizes: readonly (number | undefined)[]): number | undefined {
  return sizes.reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0);
}

/** docs/pictures/terminal-*.svg: what a program printed into a terminal, with its colours. */
import { createHash } from 'node:crypto';
import { drawing, escaped } from './svg';

/** Where a terminal of this picture breaks a line. */
export const COLUMNS = 118;
const [ADVANCE, LINE, MARGIN] = [7.25, 17, 16];

const COLOURS: Readonly<Record<string, string>> = { '1': 'strong', '2': 'soft', '31': 'red', '32': 'green', '33': 'yellow', '36': 'cyan' };
const RESETS = ['', '0', '22', '39'];
const PRINTED = /<text class="printed"[^>]*>(.*?)<\/text>/g;

/** `output` with the colours of ECMA-48 (SGR), as it comes where FORCE_COLOR asks for them; `$ ` begins a line that somebody typed. */
export function terminal(label: string, output: string): string {
  const drawn: string[] = [];
  let row = 0;
  for (const line of output.trimEnd().split('\n')) {
    const top = row;
    const pieces = coloured(line).flatMap(wrapped());
    row += (pieces.at(-1)?.row ?? 0) + 1;
    if (pieces.length === 0) continue;
    const spans = pieces.map(({ text, colour, row: below, column }) => {
      const place = column === 0 ? ` x="${MARGIN}" y="${MARGIN + 12 + (top + below) * LINE}"` : '';
      return `<tspan${place}${colour ? ` class="${colour}"` : ''}>${escaped(text)}</tspan>`;
    });
    drawn.push(`<text class="printed" xml:space="preserve">${spans.join('')}</text>`);
  }
  const [width, height] = [Math.ceil(COLUMNS * ADVANCE) + 2 * MARGIN, row * LINE + 2 * MARGIN];
  const edge = `<rect class="box" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`;
  return drawing(width, height, label, [edge, ...drawn]);
}

/** A printed line in pieces of one colour each. */
function coloured(line: string): { readonly text: string; readonly colour: string | undefined }[] {
  let colour: string | undefined = line.startsWith('$ ') ? 'strong' : undefined;
  return line.split(/\x1b\[([\d;]*)m/).flatMap((text, index) => {
    if (index % 2 === 0) return text === '' ? [] : [{ text, colour }];
    const known = RESETS.includes(text) ? '' : COLOURS[text];
    if (known === undefined) throw new Error(`the picture of a terminal has no colour for the code ${text}`);
    colour = known || undefined;
    return [];
  });
}

/** Breaks the pieces of a line where the terminal ends. */
function wrapped() {
  let at = 0;
  return ({ text, colour }: { readonly text: string; readonly colour: string | undefined }) => {
    const pieces: { readonly text: string; readonly colour: string | undefined; readonly row: number; readonly column: number }[] = [];
    for (let rest = text; rest !== ''; ) {
      const column = at % COLUMNS;
      const piece = rest.slice(0, COLUMNS - column);
      pieces.push({ text: piece, colour, row: Math.floor(at / COLUMNS), column });
      at += piece.length;
      rest = rest.slice(piece.length);
    }
    return pieces;
  };
}

/** What a picture says, line by line, without colours and empty lines. */
export const printedIn = (picture: string): string[] => [...picture.matchAll(PRINTED)].map(([, spans]) => unescaped(spans!.replaceAll(/<[^>]+>/g, '')));

const unescaped = (text: string) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** A picture whose lines beneath `heading`, which has no colour, are these up to the next empty one; the others keep their colours. */
export function redrawn(picture: string, heading: string, lines: readonly string[]): string {
  const all = rowsIn(picture);
  const from = all.indexOf(heading) + 1;
  if (from === 0) throw new Error(`the picture does not say ${heading}`);
  const to = all.indexOf('', from);
  const label = /aria-label="([^"]*)"/.exec(picture)?.[1] ?? '';
  return terminal(label, [...all.slice(0, from), ...lines.map((one) => `  ${one}`), ...all.slice(to)].join('\n'));
}

/** A line as it was printed, with its colours. */
const recoloured = (spans: string): string =>
  spans.replaceAll(/<tspan(?:[^>]* class="(\w+)")?[^>]*>(.*?)<\/tspan>/g, (_, colour: string | undefined, text: string) => {
    const [code] = Object.entries(COLOURS).find(([, name]) => name === colour) ?? [];
    return code && !text.startsWith('$ ') ? `\x1b[${code}m${unescaped(text)}\x1b[0m` : unescaped(text);
  });

/** As `printedIn`, with the colours and the empty lines. */
function rowsIn(picture: string): string[] {
  const lines: string[] = [];
  let row = 0;
  for (const [, spans] of picture.matchAll(PRINTED)) {
    const rows = [...spans!.matchAll(/ y="(\d+)"/g)].map(([, y]) => (Number(y) - MARGIN - 12) / LINE);
    for (; row < rows[0]!; row++) lines.push('');
    lines.push(recoloured(spans!));
    row = rows.at(-1)! + 1;
  }
  return lines;
}

/** `output` with fixed values for what differs from run to run, so that a picture is drawn anew only where something else has changed. */
export const settled = (output: string): string =>
  output
    .replaceAll(/^> .*\n/gm, '') // npm's own words
    .replaceAll(/\b[0-9a-f]{16,64}\b/g, (hex) => createHash('sha256').update('a picture').digest('hex').slice(0, hex.length))
    .replaceAll(/\b\d\d:\d\d:\d\d {2}/g, '09:41:00  ')
    .replaceAll(/\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT/g, 'Mar  1 08:00:00 2026 GMT')
    .replaceAll(/\bdemo([:,]|, password )[\w-]{16}/g, 'demo$1Q2xlYXItYXMtZGF5')
    .replaceAll(/[\d,]+ bytes {2}\d+ ms/g, '16,384 bytes  12 ms')
    .replaceAll(/(\bport |:)5[01]0\d\d\b/g, '$150003')
    .replaceAll('51000-51015', '50000-50015')
    .replaceAll(/(Console .*localhost:)\d+/g, '$138211');

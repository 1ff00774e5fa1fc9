/** Pictures of the documentation that a test makes. PICTURES: a folder that gets them, docs/pictures to draw them anew; by default they are compared. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printedIn } from '../../../tools/pictures/terminal';

/** Where the picture of that name is to be kept, if anywhere. */
export const keptAs = (name: string): string | undefined => (process.env['PICTURES'] ? join(process.env['PICTURES'], name) : undefined);

/** The picture of a terminal is the one that the documentation shows. */
export function expectPicture(name: string, drawn: string): void {
  const kept = keptAs(name);
  if (kept) writeFileSync(kept, drawn);
  const shown = readFileSync(join(__dirname, '../../../docs/pictures', name), 'utf8');
  expect(printedIn(shown)).toEqual(printedIn(drawn));
  expect(shown).toBe(drawn);
}

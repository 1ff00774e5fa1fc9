/** An upload that the scanner did not find clean. */
import type { Outcome } from './outcome';

const texts = {
  infected: 'The file is infected and was refused.',
  'too-large': 'The file is too large to be scanned and was refused.',
  error: 'The file could not be scanned and was refused; try again.',
} as const;

export class RefusedByScanner extends Error {
  constructor(
    readonly result: Pick<Outcome, 'sha256' | 'verdict'>,
    /** `error`: another try may mend it. */
    readonly verdict: keyof typeof texts,
  ) {
    super(texts[verdict]);
    this.name = 'RefusedByScanner';
  }
}

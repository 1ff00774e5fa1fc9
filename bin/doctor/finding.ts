/** What the doctor found, in plain words, with what to change. */

export interface Finding {
  /** What was looked at, one word that can be counted. */
  readonly check: string;
  /** `problem`: clients fail or are not safe. `warning`: some do, or it could not be looked at. */
  readonly level: 'ok' | 'warning' | 'problem';
  readonly text: string;
  /** What to change. */
  readonly advice?: string;
}

export const ok = (check: string, text: string): Finding => ({ check, level: 'ok', text });
export const warning = (check: string, text: string, advice?: string): Finding => ({ check, level: 'warning', text, advice });
export const problem = (check: string, text: string, advice?: string): Finding => ({ check, level: 'problem', text, advice });

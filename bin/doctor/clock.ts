/** Whether the clock of a server agrees with the one here. */
import { type Finding, ok, warning } from './finding';

/** Seconds that clocks may differ before clients that compare times go wrong. */
const SKEW = 60;

/** `time`: of the server, in milliseconds since 1970. */
export function clockFinding(check: string, time: number, now: number, advice: string): Finding {
  const skew = Math.round((time - now) / 1000);
  return Math.abs(skew) <= SKEW
    ? ok(check, 'the clock of the server agrees with the one here')
    : warning(check, `the clock of the server is ${Math.abs(skew)} seconds ${skew > 0 ? 'ahead' : 'behind'}`, advice);
}

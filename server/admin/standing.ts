/** How a serving process stands, for somebody who looks: what no single event tells. */
import { type As2Message, newest } from './as2-messages';

/** A certificate that is served now. */
export interface ServedCertificate {
  readonly subject: string;
  readonly serialNumber: string;
  /** ISO 8601. */
  readonly notAfter: string;
  /** May be negative. */
  readonly daysLeft: number;
}

export interface Standing {
  /** Passive ports that are open, and on how many of them somebody is waited for. */
  readonly passive: { readonly open: number; readonly waitedOn: number };
  readonly certificates: readonly ServedCertificate[];
  /** What the server leans on (scanner, directory, …) and its state: `up`, or `down: ` and why. They don't make the server itself unhealthy. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** The last messages of AS2, the newest first; absent where it is off. */
  readonly as2?: readonly As2Message[];
}

/** Several processes as one: ports add up, and what one process says is down is down. */
export function together(standings: readonly Standing[]): Standing {
  const down = (all: Readonly<Record<string, string>>) => Object.entries(all).filter(([, state]) => state.startsWith('down'));
  const dependencies = standings.map((one) => one.dependencies);
  const as2 = standings.flatMap((one) => (one.as2 ? [one.as2] : []));
  return {
    passive: {
      open: standings.reduce((sum, { passive }) => sum + passive.open, 0),
      waitedOn: standings.reduce((sum, { passive }) => sum + passive.waitedOn, 0),
    },
    certificates: standings[0]?.certificates ?? [],
    dependencies: Object.fromEntries([...dependencies.flatMap((one) => Object.entries(one)), ...dependencies.flatMap(down)]),
    ...(as2.length > 0 ? { as2: newest(as2) } : {}),
  };
}

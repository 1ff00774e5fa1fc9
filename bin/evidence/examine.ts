/** Goes through the controls and says of each what shows it, or that something it claims is shown by nothing. */
import type { Control } from './controls';
import type { Subject } from './subject';

export interface ShownClaim {
  readonly text: string;
  readonly evidence: readonly string[];
}

export interface ExaminedControl {
  readonly id: string;
  readonly title: string;
  readonly pci: readonly string[];
  readonly hipaa: readonly string[];
  /** `not-covered`: the kit does not claim it, and says why. */
  readonly status: 'shown' | 'missing' | 'not-covered';
  readonly claims: readonly ShownClaim[];
  readonly why?: string;
}

export interface Evidence {
  readonly environment: string;
  /** Whether everything that is claimed is shown. */
  readonly inOrder: boolean;
  readonly controls: readonly ExaminedControl[];
  /** Alarms that no control claims: their loss would not be noticed here. */
  readonly unclaimedAlarms: readonly string[];
}

export function examineControls(controls: readonly Control[], subject: Subject): Evidence {
  const examined = controls.map(({ id, title, pci = [], hipaa = [], claims = [], notCovered }): ExaminedControl => {
    const shown = claims.map((claim) => ({ text: claim.text, evidence: claim.show(subject) }));
    const status = notCovered !== undefined ? 'not-covered' : shown.every(({ evidence }) => evidence.length > 0) ? 'shown' : 'missing';
    return { id, title, pci, hipaa, status, claims: shown, ...(notCovered === undefined ? {} : { why: notCovered }) };
  });
  const named = new Set(examined.flatMap(({ claims }) => claims.flatMap(({ evidence }) => evidence)));
  return {
    environment: subject.environment,
    inOrder: examined.every(({ status }) => status !== 'missing'),
    controls: examined,
    unclaimedAlarms: [...subject.resources].filter(([id, { Type }]) => /::(Composite)?Alarm$/.test(Type) && !named.has(id)).map(([id]) => id),
  };
}

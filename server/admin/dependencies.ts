/** Remembers what was last heard of each part that the server leans on. */
import type { Audit, ServerEvent } from '../audit/event';
import { overheard } from '../audit/overheard';

type Part = Extract<ServerEvent, { kind: 'health' }>['part'];

export class Dependencies {
  private readonly heard = new Map<Part, string>();

  /** `parts`: those that are in use; nothing bad has been heard of them. */
  constructor(parts: readonly Part[]) {
    for (const part of parts) this.heard.set(part, 'up');
  }

  get states(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.heard);
  }

  /** Listens to the events on their way to the audit. */
  hearing(audit: Audit): Audit {
    return overheard(audit, (event) => {
      if (event.kind === 'health') this.heard.set(event.part, event.state === 'down' ? `down: ${event.detail ?? 'no reason was given'}` : event.state);
    });
  }
}

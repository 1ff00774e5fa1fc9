/** An audit that somebody listens to on the way: what is counted, remembered or shown of the events. */
import type { Audit, ServerEvent } from './event';

/** The same audit; `hear` is told of each event before it. */
export function overheard(audit: Audit, hear: (event: ServerEvent) => void): Audit {
  return {
    get failed() {
      return audit.failed;
    },
    record(event) {
      hear(event);
      audit.record(event);
    },
    flush: () => audit.flush(),
    close: () => audit.close(),
  };
}

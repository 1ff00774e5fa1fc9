/** Whether transfers need so much of a server that others have to wait. */

/** Whether transfers keep a server busy, in any of its processes. */
export interface Busyness {
  readonly isBusy: boolean;
  /** What this process found, each time that it changes. */
  found(isBusy: boolean): void;
}

/** Of a server that is one process. */
export class OwnBusyness implements Busyness {
  isBusy = false;

  found(isBusy: boolean): void {
    this.isBusy = isBusy;
  }
}

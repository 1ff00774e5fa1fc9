/** A transfer as it runs: how far it is, whether it was given up, and why it failed. */

export type TransferFailure = 'aborted' | 'stalled' | 'cut' | 'disconnected' | 'changed';

/** What broke a transfer off, in words for the client, without a full stop. */
export class BrokenOff extends Error {}

/** A transfer that ended before its end. */
export class TransferError extends BrokenOff {
  constructor(
    readonly code: TransferFailure,
    message: string,
  ) {
    super(message);
    this.name = 'TransferError';
  }
}

export class Progress {
  /** Bytes of the file moved so far. */
  bytes = 0;
  /** Bytes there will be at the end, where that is known. */
  total: number | undefined;
  readonly startedAt = performance.now();
  private readonly controller = new AbortController();

  /** Aborted when the client gave the transfer up; its reason is a TransferError. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  abort(): void {
    this.controller.abort(new TransferError('aborted', 'Transfer aborted'));
  }

  get seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }
}

/** What an upload asks of a virus scanner while its bytes go by. */

export interface ScanVerdict {
  /**
   * `unscanned`: released without a verdict because the configuration says so. Without it, and so not released: `error`, which another
   * try may mend, and `too-large`, which none will.
   */
  readonly result: 'clean' | 'infected' | 'unscanned' | 'error' | 'too-large';
  readonly signature?: string;
  /** Engine and signature version. */
  readonly engine?: string;
  /** Why there is no verdict, for the audit. */
  readonly detail?: string;
}

/** One file being scanned. Exactly one of `finish` and `abort` is called. */
export interface Scan {
  /** Fulfilled when the scanner can take more. Never rejected: trouble shows in the verdict. */
  write(chunks: readonly Buffer[]): Promise<void>;
  finish(): Promise<ScanVerdict>;
  abort(): void;
}

export interface Scanner {
  /** `owner`: the account whose upload it is, for its turn. */
  begin(owner: string): Scan;
  close(): Promise<void>;
}

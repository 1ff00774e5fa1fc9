/** Where lines go. */
export interface Target {
  /** Fulfilled when the lines are written, or certain to be, and more may be given. */
  write(text: string): Promise<void>;
  /** Fulfilled when all of them are written; absent where they are when `write` is over. */
  settled?(): Promise<void>;
  reopen(): Promise<void>;
  close(): Promise<void>;
}

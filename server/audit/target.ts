/** Where lines go. */
export interface Target {
  /** Fulfilled when the lines are written. */
  write(text: string): Promise<void>;
  reopen(): Promise<void>;
  close(): Promise<void>;
}

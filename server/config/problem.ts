/** One wrong setting: where, what is wrong, what would be right. */
export interface Problem {
  readonly key: string;
  readonly message: string;
}

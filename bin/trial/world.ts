/** What a trial does to the world outside of it; its test has another one. */

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Where the service is met, and as whom. */
export interface Door {
  readonly host: string;
  readonly user: string;
  readonly password: string;
}

export interface World {
  /** A program of this clone, with what it is told besides the shell's environment; its output is shown as it comes. */
  run(program: 'cdk' | 'ftps', args: readonly string[], more?: { readonly input?: string }): Promise<Ran>;
  /** One file up and down again over explicit and over implicit FTPS. Throws an Error where it does not come back the same. */
  transfer(door: Door): Promise<void>;
  /** What `ftps doctor` is told besides the account, and the exit code of it. */
  doctor(door: Door): Promise<Ran>;
  ask(question: string): Promise<string>;
  say(text: string): void;
  pause(milliseconds: number): Promise<void>;
}

/** What every client in the matrix is: a program that a partner may have, and how it is made to do a list of things. */
import { type Ran, run } from '../../support/served';

export type Mode = 'explicit' | 'implicit';
export type Version = '1.2' | '1.3';

/** One thing to do, in order, over as few control connections as the client can. */
export type Step =
  | readonly ['make-folder', path: string]
  | readonly ['list', folder: string]
  | readonly ['upload', file: string, path: string]
  | readonly ['download', path: string, file: string]
  | readonly ['resume-download', path: string, file: string]
  | readonly ['resume-upload', file: string, path: string]
  | readonly ['rename', from: string, to: string]
  /** What a program does beside: facts of one file, its folder by name with flags, and with hidden files. */
  | readonly ['habits', path: string]
  | readonly ['delete', path: string];

export interface Target {
  readonly mode: Mode;
  readonly version: Version;
  readonly host: string;
  readonly port: number;
  /** PEM file of the authority to trust. */
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  /** A folder for what the client leaves behind. */
  readonly folder: string;
}

export interface Client {
  readonly name: string;
  /** What is said of it in the table. */
  readonly remark: string;
  version(): Promise<string>;
  /** Modes and TLS versions that it can be told to use. */
  readonly can: readonly (readonly [Mode, Version])[];
  /** Steps that it has no way to do. */
  readonly cannot: readonly Step[0][];
  /** Does the steps; the output has what `list` lists. */
  run(target: Target, steps: readonly Step[]): Promise<Ran>;
}

export const everything = [
  ['explicit', '1.2'],
  ['explicit', '1.3'],
  ['implicit', '1.2'],
  ['implicit', '1.3'],
] as const;

/** The first thing in a program's output that looks like a version. */
export async function versionOf(program: string, ...args: string[]): Promise<string> {
  return /\d+\.\d+(\.\d+)?/.exec((await run(program, args)).output)?.[0] ?? '?';
}

/** Runs one program after the other, until one fails. */
export async function inTurn(steps: readonly Step[], one: (step: Step) => Promise<Ran>): Promise<Ran> {
  let output = '';
  for (const step of steps) {
    const ran = await one(step);
    output += ran.output;
    if (ran.code !== 0) return { code: ran.code, output: `${step.join(' ')}: ${output}` };
  }
  return { code: 0, output };
}

/** A client that reads its target and steps as JSON from standard input. */
export function scripted(program: string, ...args: string[]): Client['run'] {
  return (target, steps) => run(program, args, JSON.stringify({ ...target, steps }));
}

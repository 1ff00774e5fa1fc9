/** How the command ends: its exit codes, and errors in plain words. */
import { CommanderError } from 'commander';
import { ConfigError } from '../../server/config';
import { printable } from '../../server/text/printable';

export const exitCodes = { done: 0, failed: 1, usage: 2, notInOrder: 3 } as const;

/** Wrong flags or arguments that commander could not see by itself. */
export class UsageError extends Error {}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  return error instanceof ConfigError || error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}

/** What to do about errors of the AWS SDK that say nothing of it. */
function nextStep({ name, message }: Error): string {
  if (name === 'CredentialsProviderError')
    return '\nNo AWS credentials were found: sign in (`aws sso login`), name a profile in AWS_PROFILE, or run this on the instance.';
  if (/region is missing/i.test(message)) return '\nName the region of the service in AWS_REGION.';
  if (/^(AccessDenied|UnrecognizedClient|ExpiredToken|InvalidClientToken)/.test(name))
    return '\nThe credentials were found but may not do this: check which ones they are (`aws sts get-caller-identity`) and what they are allowed.';
  return '';
}

/** The text for the terminal; empty where commander has written it already. */
export function explain(error: unknown): string {
  if (error instanceof CommanderError) return '';
  if (error instanceof ConfigError) return `The settings can't be used:\n${error.problems.map(({ key, message }) => `  ${key}: ${message}`).join('\n')}`;
  if (!(error instanceof Error)) return printable(`ftps: ${String(error)}`);
  // What went wrong may name a file, an account or a reply; what we say of flags may take several lines.
  return `ftps: ${error instanceof UsageError ? error.message : printable(error.message)}${nextStep(error)}`;
}

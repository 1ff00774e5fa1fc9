/** `ftps certificate status|rollback|rotate`: asks the rotation Lambda, so that nobody needs to read the secret with its key. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { Command } from 'commander';
import { say } from '../terminal/say';
import { exitCodes } from './exit';

interface Flags {
  readonly function: string;
  readonly json?: boolean;
  readonly renew?: boolean;
}

/** What the Lambda answers; see lib/certificate/rotation/handler.ts. */
interface Answer {
  readonly outcome?: string;
  readonly versions: readonly {
    readonly labels: readonly string[];
    readonly names?: string;
    readonly serialNumber?: string;
    readonly notAfter?: string;
    readonly daysLeft?: number;
    readonly problems: readonly string[];
  }[];
}

const outcomes: Readonly<Record<string, string>> = {
  rotated: 'Another certificate is current now; the instances take it up within their polling interval.',
  current: 'The right certificate was current already.',
  held: 'The newest certificate was rolled back by a person and stays out of service; `ftps certificate rotate` takes it up again.',
  'rolled-back': 'The certificate before is current again; the one rolled back stays out of service until `ftps certificate rotate`.',
};

export function certificateCommand(): Command {
  const certificate = new Command('certificate').description('Looks at and moves the certificate in Secrets Manager, through its rotation Lambda.');
  const commands = [
    ['status', 'Prints every version of the certificate. Exit code 3 where the current one is not in order.', []],
    ['rollback', 'Puts the certificate before the current one back into service.', []],
    [
      'rotate',
      'Looks for a new certificate now, also for one that was rolled back.',
      [['--renew', 'have a private authority in short-lived mode issue another one']],
    ],
  ] as const;
  for (const [action, description, more] of commands) {
    const command = certificate
      .command(action)
      .description(description)
      .requiredOption('--function <name>', 'name or ARN of the rotation Lambda, the output CertificateRotation of the stack')
      .option('--json', 'print JSON');
    for (const [flag, text] of more) command.option(flag, text);
    command.action(async (flags: Flags) => {
      const answer = await ask(flags.function, { action, renew: flags.renew });
      say(flags.json ? `${JSON.stringify(answer)}\n` : readable(answer));
      const current = answer.versions.find(({ labels }) => labels.includes('AWSCURRENT'));
      if (!current || current.problems.length > 0) process.exitCode = exitCodes.notInOrder;
    });
  }
  return certificate;
}

async function ask(functionName: string, request: { action: string; renew?: boolean }): Promise<Answer> {
  const { Payload, FunctionError } = await new LambdaClient({}).send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }));
  const answer = JSON.parse(Buffer.from(Payload ?? []).toString() || '{}') as Answer & { errorMessage?: string };
  if (FunctionError) throw new Error(answer.errorMessage ?? `the rotation Lambda failed (${FunctionError})`);
  return answer;
}

function readable({ outcome, versions }: Answer): string {
  const lines = outcome === undefined ? [] : [outcomes[outcome] ?? outcome];
  for (const { labels, names, serialNumber, notAfter, daysLeft, problems } of versions) {
    lines.push(
      `${labels.join(' ')}: ${serialNumber ? `serial ${serialNumber}, ${names ?? 'no names'}, until ${notAfter} (${daysLeft} days)` : 'no certificate'}`,
    );
    for (const problem of problems) lines.push(`  ${problem}`);
  }
  return `${lines.join('\n')}\n`;
}

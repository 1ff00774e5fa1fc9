import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { certificateCommand } from '../../bin/commands/certificate';

/** A stand-in for the Lambda service (API reference, Invoke): remembers what was asked and answers with what it was given. */
async function lambdaAnswering(payload: unknown, functionError?: string) {
  const asked: { path: string; body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push({ path: request.url ?? '', body: JSON.parse(body) });
    if (functionError) response.setHeader('x-amz-function-error', functionError);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(payload));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  return { asked, close: () => new Promise((resolve) => server.close(resolve)) };
}

const version = { labels: ['AWSCURRENT'], serialNumber: '0A', names: 'DNS:ftps.example.com', notAfter: '2030-01-01T00:00:00.000Z', daysLeft: 90, problems: [] };

async function run(...args: string[]): Promise<{ output: string; exitCode: unknown }> {
  let output = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += text;
    return true;
  });
  const before = process.exitCode;
  try {
    process.exitCode = undefined;
    await certificateCommand().parseAsync(args, { from: 'user' });
    return { output, exitCode: process.exitCode };
  } finally {
    write.mockRestore();
    process.exitCode = before;
  }
}

describe('ftps certificate', () => {
  it.each(['status', 'rollback', 'rotate'])('%s asks the Lambda that is named and prints the versions', async (action) => {
    const lambda = await lambdaAnswering({ outcome: action === 'status' ? undefined : 'rotated', versions: [version] });
    const { output, exitCode } = await run(action, '--function', 'rotation');
    await lambda.close();
    expect(lambda.asked).toEqual([{ path: '/2015-03-31/functions/rotation/invocations', body: { action } }]);
    expect(output).toContain('AWSCURRENT: serial 0A, DNS:ftps.example.com, until 2030-01-01T00:00:00.000Z (90 days)');
    expect(exitCode).toBeUndefined();
  });

  it('status ends with 3 where the current certificate is not in order', async () => {
    const lambda = await lambdaAnswering({ versions: [{ ...version, problems: ['the certificate expired'] }] });
    const { output, exitCode } = await run('status', '--function', 'rotation');
    await lambda.close();
    expect(output).toContain('the certificate expired');
    expect(exitCode).toBe(3);
  });

  it('tells what the Lambda says went wrong', async () => {
    const lambda = await lambdaAnswering({ errorMessage: 'there is no certificate before the current one to go back to' }, 'Unhandled');
    await expect(run('rollback', '--function', 'rotation')).rejects.toThrow('there is no certificate before the current one');
    await lambda.close();
  });
});

/** What CloudFormation is told by a Lambda of the kit, over a real connection. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerCloudFormation } from '../../lib/functions/cloudformation';

/** CloudFormation template reference, "Custom resource response objects". */
const MOST_BYTES = 4_096;

const answers: Buffer[] = [];
const server = createServer(async (request, response) => {
  answers.push(Buffer.concat(await request.toArray()));
  response.end();
});
beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
afterAll(() => server.close());

async function told(work: () => Promise<undefined>): Promise<{ bytes: number; Status: string; Reason: string }> {
  await answerCloudFormation(
    {
      RequestType: 'Create',
      ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      StackId: `arn:aws:cloudformation:eu-central-1:111122223333:stack/${'s'.repeat(128)}/${'0'.repeat(36)}`,
      RequestId: '0'.repeat(36),
      LogicalResourceId: 'L'.repeat(255),
    },
    work,
  );
  const answer = answers.pop()!;
  return { ...JSON.parse(answer.toString()), bytes: answer.length };
}

it.each([
  ['a message that is encoded by EC2', `You are not authorized to perform this operation. Encoded authorization failure message: ${'Zk3-_'.repeat(2_000)}`],
  ['a page of JSON with text of another language', `You are not authorized: ${JSON.stringify({ ä: '"\n'.repeat(4_000) })}`],
])('a reason that is too long for CloudFormation, %s, is told as far as there is room, and not thrown away with the answer', async (_, message) => {
  const { bytes, Status, Reason } = await told(() => Promise.reject(new Error(message)));
  expect(Status).toBe('FAILED');
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  expect(Reason).toMatch(/^You are not authorized/);
  expect(Buffer.byteLength(JSON.stringify(Reason))).toBeGreaterThan(2_000);
});

it('an error without words is told by its name, for CloudFormation asks for a reason', async () => {
  expect(await told(() => Promise.reject(new AggregateError([])))).toMatchObject({ Status: 'FAILED', Reason: 'AggregateError' });
});

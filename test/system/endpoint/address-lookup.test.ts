/** The built Lambda that tells a deployment the addresses of allocations, against moto. */
import { join } from 'node:path';
import { AllocateAddressCommand, EC2Client } from '@aws-sdk/client-ec2';
import { awaitAnswers, type Stack } from '../support/cloudformation';
import { type Moto, startMoto } from '../support/moto';

let moto: Moto;
let stack: Stack;
let handler: (event: object) => Promise<void>;

beforeAll(async () => {
  moto = await startMoto();
  stack = await awaitAnswers();
  ({ handler } = require(join(__dirname, '../../../dist/lambda/endpoint-address-lookup/index.js')));
});
afterAll(async () => {
  stack?.close();
  await moto?.stop();
});

it('answers with the addresses in the order of their ids', async () => {
  const made = [await allocate(), await allocate(), await allocate()];
  const AllocationIds = [made[2]!, made[0]!].map(({ AllocationId }) => AllocationId!);
  await handler(stack.request('Create', { AllocationIds } as never));
  expect(stack.answers.at(-1)).toMatchObject({ Status: 'SUCCESS', Data: { Address1: made[2]!.PublicIp, Address2: made[0]!.PublicIp } });
});

it('fails the deployment of an id that is unknown, and nothing when it goes', async () => {
  await handler(stack.request('Create', { AllocationIds: ['eipalloc-00000000'] } as never));
  expect(stack.answers.at(-1)).toMatchObject({
    Status: 'FAILED',
    Reason: 'allocationIds: eipalloc-00000000 is no Elastic IP address of this account and region',
  });
  await handler(stack.request('Delete', { AllocationIds: ['eipalloc-00000000'] } as never));
  expect(stack.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
});

const allocate = () => new EC2Client({}).send(new AllocateAddressCommand({ Domain: 'vpc' }));

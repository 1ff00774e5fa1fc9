/** Slices of passive ports, where Elastic Load Balancing refuses what the emulator takes: an instance that does not run. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { keepSlots } from '../../../lib/endpoint/slot-lifecycle/keep-slots';
import { PortTargets } from '../../../lib/endpoint/slot-lifecycle/port-targets';

/** Port → the instance that it leads to. */
const leads = new Map<string, string>();
const running = new Set(['i-1']);
let refusal = 'InvalidTarget';

/** Elastic Load Balancing API reference, as far as the Lambda asks for it. Of an instance that does not run, "RegisterTargets" makes no target. */
const balancing = createServer(async (request, response) => {
  const asked = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
  const [action, port, instance] = [asked.get('Action')!, asked.get('TargetGroupArn') ?? '', asked.get('Targets.member.1.Id')];
  const answer = (result: string) => response.end(`<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`);
  if (action === 'DescribeTargetGroups')
    return answer(
      `<TargetGroups>${['50000', '50001'].map((one) => `<member><Port>${one}</Port><TargetGroupArn>${one}</TargetGroupArn></member>`).join('')}</TargetGroups>`,
    );
  if (action === 'DescribeTargetHealth') {
    const id = leads.get(port);
    return answer(`<TargetHealthDescriptions>${id ? `<member><Target><Id>${id}</Id></Target></member>` : ''}</TargetHealthDescriptions>`);
  }
  if (action === 'RegisterTargets' && !running.has(instance!)) {
    response.statusCode = 400;
    return response.end(
      `<ErrorResponse><Error><Type>Sender</Type><Code>${refusal}</Code><Message>The following targets are not in a running state and cannot be registered: '${instance}'</Message></Error></ErrorResponse>`,
    );
  }
  if (action === 'RegisterTargets') leads.set(port, instance!);
  else leads.delete(port);
  return answer('');
});

const slots = { of: async () => given, give: async (id: string, slot: number) => void given.set(id, slot) };
const given = new Map<string, number>();
const pass = () =>
  keepSlots({
    group: { instances: async () => ['i-0', 'i-1'].map((id) => ({ id, serves: false })) } as never,
    slots: slots as never,
    targets: new PortTargets(client, 'arn:balancer'),
    ports: [
      { low: 50_000, high: 50_000 },
      { low: 50_001, high: 50_001 },
    ],
  });
let client: ElasticLoadBalancingV2Client;

beforeAll(async () => {
  await once(balancing.listen(0, '127.0.0.1'), 'listening');
  const endpoint = `http://127.0.0.1:${(balancing.address() as AddressInfo).port}`;
  client = new ElasticLoadBalancingV2Client({ endpoint, region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1 });
});
afterAll(() => {
  client.destroy();
  balancing.closeAllConnections();
  balancing.close();
});

it('an instance that is only being started has its slot, and its ports as soon as it runs; those of others are led meanwhile', async () => {
  expect(await pass()).toEqual({ given: 2, waiting: 0, portsChanged: 1 });
  expect([...leads]).toEqual([['50001', 'i-1']]);
  running.add('i-0');
  expect(await pass()).toEqual({ given: 0, waiting: 0, portsChanged: 1 });
  expect(leads.get('50000')).toBe('i-0');
});

it('what else is refused ends the run, so that it is tried again and told', async () => {
  leads.clear();
  running.clear();
  refusal = 'TooManyTargets';
  await expect(pass()).rejects.toThrow('cannot be registered');
});

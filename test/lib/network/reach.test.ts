/** An isolated network reaches every AWS API that the server on its instances asks. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ServiceNetwork } from '../../../lib';
import { flat, type Resources, testStack } from '../support';

/** Clients of the SDK by the last word of their endpoint's name. */
const ENDPOINTS: Readonly<Record<string, string>> = {
  'auto-scaling': 'autoscaling',
  dynamodb: 'dynamodb',
  eventbridge: 'events',
  s3: 's3',
  'secrets-manager': 'secretsmanager',
};

it('has an endpoint for each client of the AWS SDK in the server', () => {
  const { stack } = testStack();
  new ServiceNetwork(stack, 'Network', { internet: false });
  const made = Object.values(Template.fromStack(Stack.of(stack)).findResources('AWS::EC2::VPCEndpoint') as Resources).map(({ Properties }) =>
    flat(Properties.ServiceName).split('.').at(-1),
  );
  const server = join(__dirname, '../../../server');
  const sources = readdirSync(server, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'));
  const clients = new Set(
    sources.flatMap((name) => [...readFileSync(join(server, name), 'utf8').matchAll(/@aws-sdk\/client-([\w-]+)/g)].map(([, client]) => client!)),
  );
  expect(clients.size).toBeGreaterThan(3);
  for (const client of clients) expect(made).toContain(ENDPOINTS[client]);
});

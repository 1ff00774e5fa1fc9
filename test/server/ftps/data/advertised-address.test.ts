import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { AdvertisedAddress } from '../../../../server/ftps/data/advertised-address';

const PATH = '/latest/meta-data/public-ipv4';

/** What IMDSv2 does: a token for a PUT, values for those who show it, 401 for all others. */
let metadata: Server;
let publicAddress: string | undefined;
let asked: string[];
beforeEach(async () => {
  publicAddress = '198.51.100.7';
  asked = [];
  metadata = createServer(({ method, url, headers }, response) => {
    asked.push(`${method} ${url}`);
    if (method === 'PUT' && url === '/latest/api/token' && headers['x-aws-ec2-metadata-token-ttl-seconds']) return void response.end('TOKEN');
    if (headers['x-aws-ec2-metadata-token'] !== 'TOKEN') return void response.writeHead(401).end();
    if (method === 'GET' && url === PATH && publicAddress) return void response.end(publicAddress);
    response.writeHead(404).end('<html>404</html>');
  });
  await once(metadata.listen(0, '127.0.0.1'), 'listening');
  process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = `http://127.0.0.1:${(metadata.address() as { port: number }).port}`;
});
afterEach(async () => {
  delete process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
  jest.restoreAllMocks();
  await stop();
});

async function stop(): Promise<void> {
  metadata.closeAllConnections();
  if (metadata.listening) await new Promise((resolve) => metadata.close(resolve));
}

function later(milliseconds: number): void {
  const then = Date.now() + milliseconds;
  jest.spyOn(Date, 'now').mockReturnValue(then);
}

const auto = { advertisedAddress: 'auto', advertisedAddressFor: [] };

describe('the advertised address `auto`', () => {
  it('is the public IPv4 of the instance, asked for once by all', async () => {
    const address = new AdvertisedAddress(auto);
    expect(await Promise.all(Array.from({ length: 20 }, () => address.for('192.0.2.1', '10.0.0.5')))).toEqual(new Array(20).fill('198.51.100.7'));
    expect(asked).toEqual(['PUT /latest/api/token', `GET ${PATH}`]);
  });

  it('is the local address where the instance has no public one', async () => {
    publicAddress = undefined;
    expect(await new AdvertisedAddress(auto).for('192.0.2.1', '10.0.0.5')).toBe('10.0.0.5');
  });

  it('serves on while it is asked for again, and then is the new one', async () => {
    const address = new AdvertisedAddress(auto);
    await address.for('192.0.2.1', '10.0.0.5');
    publicAddress = '198.51.100.8';
    later(61_000);
    expect(await address.for('192.0.2.1', '10.0.0.5')).toBe('198.51.100.7');
    await address.prepare(); // joins the question that runs
    expect(await address.for('192.0.2.1', '10.0.0.5')).toBe('198.51.100.8');
  });

  it('outlives a metadata service that went away, which is reported once', async () => {
    const problems: string[] = [];
    const address = new AdvertisedAddress(auto, (problem) => problems.push(problem));
    await address.for('192.0.2.1', '10.0.0.5');
    await stop();
    later(3_600_000);
    expect(await address.for('192.0.2.1', '10.0.0.5')).toBe('198.51.100.7');
    expect(await address.for('192.0.2.1', '10.0.0.5')).toBe('198.51.100.7');
    expect(problems).toEqual([expect.stringMatching(/^the public address of the instance can't be looked up/)]);
  });
});

it('is another one for clients of certain networks, a resolved name, or the local address', async () => {
  const address = new AdvertisedAddress({
    advertisedAddress: 'localhost',
    advertisedAddressFor: [
      { network: '10.0.0.0/8', address: 'local' },
      { network: '172.16.0.0/12', address: '172.16.0.1' },
    ],
  });
  expect(await address.for('192.0.2.1', '10.0.0.5')).toBe('127.0.0.1');
  expect(await address.for('10.1.2.3', '::ffff:10.0.0.5')).toBe('10.0.0.5');
  expect(await address.for('172.16.9.9', '10.0.0.5')).toBe('172.16.0.1');
});

it('is nothing for a client of the local address that came over IPv6, and for a name that does not resolve', async () => {
  expect(await new AdvertisedAddress({ advertisedAddress: 'local', advertisedAddressFor: [] }).for('2001:db8::2', '2001:db8::1')).toBeUndefined();
  const problems: string[] = [];
  const address = new AdvertisedAddress({ advertisedAddress: `${'n'.repeat(64)}.invalid`, advertisedAddressFor: [] }, (problem) => problems.push(problem));
  await address.prepare();
  expect(await address.for('192.0.2.1', '10.0.0.5')).toBeUndefined();
  expect(problems).toEqual([expect.stringMatching(/^n+\.invalid can't be looked up/)]);
});

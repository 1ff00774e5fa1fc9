import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { freePort } from './free-port';

it('is nobody else’s: neither of those who ask here, nor of whom the kernel gives a port', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
  expect(new Set(ports).size).toBe(50);
  const given = createServer().listen(0, '127.0.0.1');
  await once(given, 'listening');
  expect((given.address() as AddressInfo).port).toBeGreaterThan(Math.max(...ports));
  given.close();
  // Another process finds the name of the claim taken, and the port itself free to be listened on.
  const tried = `const net = require('node:net');
    const tries = [{ path: '\\0ftps-test-port-${ports[0]}' }, { port: ${ports[0]} }].map((where) => new Promise((resolve) => {
      const server = net.createServer().on('error', ({ code }) => resolve(code)).listen(where, () => server.close(() => resolve('listens')));
    }));
    Promise.all(tries).then((all) => console.log(all.join()));`;
  expect(execFileSync(process.execPath, ['-e', tried]).toString().trim()).toBe('EADDRINUSE,listens');
});

/** `ftps doctor --as2` against a real server, and what it thinks of servers that are otherwise. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressFinding } from '../../bin/doctor/as2';
import type { Finding } from '../../bin/doctor/finding';
import { type As2Served, as2Served, party } from '../server/as2/served';
import { doctorSaid } from './doctor-said';

const folder = mkdtempSync(join(tmpdir(), 'ftps-doctor-as2-'));
const ca = join(folder, 'ca.pem');
let server: As2Served;
let port: number;
beforeAll(async () => {
  server = await as2Served(await party('us'), { port: 0 });
  port = server.server.listeners.find(({ mode }) => mode === 'as2')!.port;
  writeFileSync(ca, server.authority.pem);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function said(...args: string[]): Promise<string[]> {
  const { text } = await doctorSaid('--json', '--ca', ca, ...args);
  return (JSON.parse(text).findings as Finding[]).filter(({ check }) => check === 'as2').map(({ level, text: words }) => `${level}: ${words}`);
}

it('this server takes messages under its address, and under no other', async () => {
  expect(await said('--as2', `${port}`)).toEqual([`ok: port ${port} is open`, 'ok: messages are taken at /as2']);
  expect(await said('--as2', `${port}/edi`)).toEqual([`ok: port ${port} is open`, 'problem: there is nothing at /edi (404)']);
  expect(server.audit.of('as2-message')).toEqual([]);
});

it('a port that is closed, and a place that is none, are said', async () => {
  await expect(said('--as2', 'as2')).rejects.toThrow('--as2: "as2" is no port and path; write 4443/as2 for example');
  expect(await said('--as2', '1')).toEqual([expect.stringMatching(/^problem: port 1 can't be reached/)]);
});

it.each<[number, Record<string, string>, Finding['level']]>([
  [200, {}, 'ok'],
  [400, {}, 'ok'],
  [405, {}, 'ok'],
  [401, {}, 'warning'],
  [301, { location: 'https://elsewhere/' }, 'warning'],
  [503, {}, 'warning'],
  [404, {}, 'problem'],
])('an answer of %i to a GET', (status, headers, level) => {
  expect(addressFinding('/as2', { status, headers }).level).toBe(level);
});

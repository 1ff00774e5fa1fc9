import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { RecordWatch } from '../../../server/tls/record-watch';

/** Sends records of these lengths, ends, and answers with whether that counts as ended by an alert. */
async function ended(
  records: readonly (readonly [type: number, length: number])[],
  lastDataLength: number,
  cutBytes = 0,
  version = 'TLSv1.3',
): Promise<boolean> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const arrived = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [socket] = await arrived;
  const watch = new RecordWatch(socket);
  if (version === 'TLSv1.3') watch.hold();
  const bytes = Buffer.concat(records.map(([type, length]) => Buffer.concat([Buffer.from([type, 3, 3, length >> 8, length & 255]), Buffer.alloc(length)])));
  client.end(bytes.subarray(0, bytes.length - cutBytes));
  await once(watch.resume(), 'end');
  watch.destroy();
  client.destroy();
  server.close();
  return watch.endedByAlert(lastDataLength);
}

const data = (length: number, padding = 0) => [23, length + 17 + padding] as const;
const alert = (padding = 0) => data(2, padding);
const finished = (padding = 0) => data(52, padding);

describe('the end of a TLS 1.3 connection', () => {
  it.each([
    ['data, alert', [finished(), data(300), alert()], 300],
    ['no data at all, alert', [finished(), alert()], 0],
    ['two bytes of data, alert', [finished(), data(2), alert()], 2],
    ['one byte of data, alert', [finished(), data(1), alert()], 1],
    ['padded as Java does it, with its two alerts', [finished(16), data(300, 16), alert(16), alert(16)], 300],
    ['padded, with few bytes of data', [finished(16), data(5, 16), alert(16), alert(16)], 5],
    ['padded, with two bytes of data', [finished(16), data(2, 16), alert(16), alert(16)], 2],
    ['padded, with no data at all', [finished(16), alert(16), alert(16)], 0],
  ] as const)('is one by close_notify: %s', async (_what, records, last) => {
    expect(await ended(records, last)).toBe(true);
  });

  it.each([
    ['data alone', [finished(), data(300)], 300, 0],
    ['nothing', [finished()], 0, 0],
    ['data of an alert’s length', [finished(), data(300), data(2)], 2, 0],
    ['one byte', [finished(), data(1)], 1, 0],
    ['padded data', [finished(16), data(300, 16), data(5, 16)], 5, 0],
    ['padded, nothing', [finished(16)], 0, 0],
    ['a part of the alert', [finished(), data(300), alert()], 300, 1],
    ['the header of the alert', [finished(), data(300), alert()], 300, 19],
  ] as const)('is a cut: %s', async (_what, records, last, cutBytes) => {
    expect(await ended(records, last, cutBytes)).toBe(false);
  });
});

it('of a TLS 1.2 connection is one by close_notify where the last record is an alert', async () => {
  const on12 = (records: Parameters<typeof ended>[0], last: number) => ended(records, last, 0, 'TLSv1.2');
  expect(
    await on12(
      [
        [23, 324],
        [21, 26],
      ],
      300,
    ),
  ).toBe(true);
  expect(await on12([[23, 324]], 300)).toBe(false);
  expect(
    await on12(
      [
        [23, 324],
        [23, 26],
      ],
      2,
    ),
  ).toBe(false);
  expect(await on12([[22, 40]], 0)).toBe(false);
});

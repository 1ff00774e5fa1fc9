/** What lies in an outbox, looked at by hand. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Outbox } from '../../../server/as2/sending/outbox';
import { testFiles } from '../support/files';

it('a folder that does not become whole is told of after a minute, once for each reason', async () => {
  const place = await testFiles();
  const at = (name: string) => join(place.folder, 'outbox/order', name);
  mkdirSync(at('.'), { recursive: true });
  writeFileSync(at('send.txt'), 'a.edi\n');
  const files = await place.open();
  const told: string[] = [];
  let now = 0;
  const outbox = new Outbox({ folder: '/outbox', isKnown: () => false, others: [], onWaiting: (path, why) => told.push(`${path}: ${why}`), now: () => now });
  const look = async (seconds: number) => {
    now += seconds * 1000;
    return outbox.look(files);
  };
  expect([await look(0), await look(59)]).toEqual([[], []]);
  expect(told).toEqual([]);
  await look(1);
  await look(100);
  expect(told).toEqual(['/outbox/order: send.txt names a.edi, which is not there']);
  writeFileSync(at('a.edi'), 'a');
  writeFileSync(at('b.edi'), 'b');
  await look(1);
  await look(60);
  expect(told.slice(1)).toEqual(['/outbox/order: b.edi is there and not named in send.txt']);
  writeFileSync(at('send.txt'), 'b.edi\na.edi\n');
  expect(await look(1)).toMatchObject([{ path: '/outbox/order', size: 2, payloads: [{ name: 'b.edi' }, { name: 'a.edi' }] }]);
  await place.close();
});

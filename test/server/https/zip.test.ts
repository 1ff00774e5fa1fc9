import type { Outlet } from '../../../server/files/account-files';
import { Zip } from '../../../server/https/api/zip';
import { heldBytes } from '../../support/garbage';

const nowhere: Outlet = { send: async () => {}, end: async () => {}, abandon: () => {} };

it('an archive holds the folder of its files once, however long its path is and however many they are', async () => {
  const folder = Array.from({ length: 15 }, (_, depth) => `${depth}`.padEnd(250, 'x')).join('/');
  const files = 10_000;
  const zip = new Zip(nowhere);
  await (await zip.file('warm', new Date())).end();
  const before = heldBytes();
  for (let index = 0; index < files; index += 1) {
    await zip.folder(`${folder}/${index}`, new Date());
    await (await zip.file(`${folder}/${index}/file`, new Date())).end();
  }
  // Their paths have 75 MB together.
  expect((heldBytes() - before) / files).toBeLessThan(1_000);
  await zip.end();
}, 20_000);

import type { AccountFiles, Upload } from '../../../server/files/account-files';
import { Progress } from '../../../server/files/progress';
import { type OpenUpload, Uploads } from '../../../server/https/uploads';
import { collectGarbage } from '../../support/garbage';

/** Uploads that end at once. */
const files = {
  async openUpload(): Promise<Upload> {
    const receive: Upload['receive'] = async (connect) => {
      await (await connect()).letGo(false);
      return { outcome: 'success' };
    };
    return { progress: new Progress(), receive, discard: async () => {} };
  },
} as unknown as AccountFiles;

async function collected(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

it('of uploads that were begun and have ended a number is remembered, and nothing is left of those before', async () => {
  const uploads = new Uploads(3_600, { index: 0, count: 1 });
  const first: { readonly id: string; readonly one: WeakRef<OpenUpload> }[] = [];
  for (let count = 0; count < 2_000; count += 1) {
    const one = await uploads.begin({ owner: 'ann', files, path: '/x', length: 0 }, false);
    await one.outcome;
    if (count < 500) first.push({ id: one.id, one: new WeakRef(one) });
  }
  await collected();
  expect(first.filter(({ id }) => uploads.find(id, 'ann'))).toEqual([]);
  expect(first.filter(({ one }) => one.deref()).length).toBeLessThan(5);
  await uploads.close();
});

import { freePath } from '../../../server/as2/folders';
import { type AccountFiles, StorageError } from '../../../server/files/account-files';

/** Files of an account, as far as they are looked for, and how often they were. */
function files(names: Iterable<string>) {
  const there = new Set(names);
  const looks = { count: 0 };
  const find = async (_operation: string, path: string) => {
    looks.count += 1;
    if (!there.has(path)) throw new StorageError('not-found', 'No such file.');
  };
  return { looks, files: { find } as unknown as AccountFiles };
}
const numbered = (count: number) => Array.from({ length: count }, (_, index) => (index === 0 ? '/in/order.edi' : `/in/order-${index + 1}.edi`));

it.each([0, 1, 2, 3, 4, 5, 20, 5_000])('behind %i files of one name comes the next, after a few looks', async (count) => {
  const { files: account, looks } = files(numbered(count));
  expect(await freePath(account, '/in', 'order.edi')).toBe(numbered(count + 1).at(-1));
  expect(looks.count).toBeLessThan(30);
});

it('a name that somebody else is about to have is passed over, and one that is free among those that are taken may be used', async () => {
  const { files: account } = files(numbered(3));
  expect(await freePath(account, '/in', 'order.edi', (path) => path !== '/in/order-4.edi')).toBe('/in/order-5.edi');
  expect(await freePath(files(numbered(100).filter((path) => path !== '/in/order-50.edi')).files, '/in', 'order.edi')).toMatch(/^\/in\/order-(50|101)\.edi$/);
});

import fc from 'fast-check';
import { StorageError } from '../../../server/files/storage/storage';
import { virtualPath } from '../../../server/files/virtual-path';

const part = fc.string({ unit: 'grapheme', maxLength: 12 });
const path = fc.array(fc.oneof(part, fc.constant('..'), fc.constant('.'), fc.constant('')), { maxLength: 8 }).map((parts) => parts.join('/'));

describe('virtual paths', () => {
  it('are absolute, without dots or doubled slashes, whatever the client wrote', () => {
    fc.assert(
      fc.property(path, path, (cwd, argument) => {
        let result: string;
        try {
          result = virtualPath(virtualPath('/', cwd || '/'), argument);
        } catch (error) {
          expect(error).toBeInstanceOf(StorageError);
          return;
        }
        expect(result.startsWith('/')).toBe(true);
        expect(
          result
            .split('/')
            .slice(1)
            .every((one, _index, all) => (one !== '' || all.length === 1) && one !== '.' && one !== '..'),
        ).toBe(true);
        expect(virtualPath('/', result)).toBe(result);
      }),
    );
  });

  it('stop at the root', () => {
    expect(virtualPath('/a', '../../../b')).toBe('/b');
    expect(virtualPath('/', '..')).toBe('/');
  });

  it.each(['', 'a\0b', '.ftps-staging', 'a/.ftps-staging/b', 'x'.repeat(256)])('refuse %j', (argument) => {
    expect(() => virtualPath('/', argument)).toThrow(StorageError);
  });
});

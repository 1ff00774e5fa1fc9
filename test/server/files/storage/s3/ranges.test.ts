import fc from 'fast-check';
import { COPIED_WHOLE, copyRanges, LARGEST_COPY, partSize, SMALLEST_PART } from '../../../../../server/files/storage/s3/ranges';

const GIB = 1024 ** 3;
const sizeOf = ({ first, last }: { first: number; last: number }) => last - first + 1;

describe('parts of S3 objects', () => {
  it('cover what is copied, without a gap, in parts that S3 takes, up to its largest objects', () => {
    fc.assert(
      fc.property(fc.integer({ min: SMALLEST_PART, max: 5 * 1024 * GIB }), (size) => {
        const ranges = copyRanges(size);
        expect(ranges[0]!.first).toBe(0);
        expect(ranges.at(-1)!.last).toBe(size - 1);
        expect(ranges.every(({ first }, index) => index === 0 || first === ranges[index - 1]!.last + 1)).toBe(true);
        expect(ranges.length).toBeLessThanOrEqual(5_000); // an upload that goes on has as many left
        expect(ranges.map(sizeOf).every((bytes) => bytes >= SMALLEST_PART && bytes <= LARGEST_COPY)).toBe(true);
      }),
    );
    expect(copyRanges(COPIED_WHOLE + 1)).toHaveLength(3);
  });

  it('grow, so that ten thousand hold 430 GiB, and end there', () => {
    let total = 0;
    for (let number = 1; number <= 10_000; number += 1) total += partSize(number, 8 * 1024 * 1024)!;
    expect(Math.floor(total / GIB)).toBe(429);
    expect(partSize(10_001, 8 * 1024 * 1024)).toBeUndefined();
  });
});

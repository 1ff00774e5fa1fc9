import fc from 'fast-check';
import { type Line, LineReader, LONGEST_LINE } from '../../../../server/ftps/control/line-reader';
import { anyText } from '../../support/any-text';
import { growsTooFast } from '../../support/growth';

const line = (text: string): Line => ({ kind: 'line', text });

describe('lines of the control connection', () => {
  it('ends a line at CRLF and at LF alone', () => {
    expect(new LineReader().push(Buffer.from('NOOP\r\nPWD\n'))).toEqual([line('NOOP'), line('PWD')]);
  });

  it('waits for the end of a line that arrives in pieces', () => {
    const reader = new LineReader();
    expect(reader.push(Buffer.from('NO'))).toEqual([]);
    expect(reader.holdsBytes).toBe(true);
    expect(reader.push(Buffer.from('OP\r'))).toEqual([]);
    expect(reader.push(Buffer.from('\n'))).toEqual([line('NOOP')]);
    expect(reader.holdsBytes).toBe(false);
  });

  it('takes an 8 KiB line and refuses a longer one, ended or not', () => {
    expect(new LineReader().push(Buffer.from(`${'x'.repeat(LONGEST_LINE)}\r\n`))).toEqual([line('x'.repeat(LONGEST_LINE))]);
    expect(new LineReader().push(Buffer.alloc(LONGEST_LINE + 1, 'x'))).toEqual([{ kind: 'too-long' }]);
    expect(new LineReader().push(Buffer.from(`${'x'.repeat(LONGEST_LINE + 2)}\n`))).toEqual([{ kind: 'too-long' }]);
  });

  it('reads nothing more after a line that was too long', () => {
    const reader = new LineReader();
    reader.push(Buffer.alloc(LONGEST_LINE + 1, 'x'));
    expect(reader.push(Buffer.from('\nDELE precious\r\n'))).toEqual([]);
  });

  it('names NUL and bytes that are no UTF-8 instead of passing them on', () => {
    expect(new LineReader().push(Buffer.from('DELE a\0b\r\n'))).toEqual([{ kind: 'nul' }]);
    expect(new LineReader().push(Buffer.from([0x50, 0xc3, 0x28, 0x0a]))).toEqual([{ kind: 'not-utf8' }]);
  });

  it('takes out the Telnet commands that clients send before ABOR', () => {
    expect(new LineReader().push(Buffer.from([255, 244, 255, 242, ...Buffer.from('ABOR\r\n')]))).toEqual([line('ABOR')]);
    expect(new LineReader().push(Buffer.from([255, 253, 6, ...Buffer.from('NOOP\r\n')]))).toEqual([line('NOOP')]);
  });

  it('gives the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (bytes, cuts) => {
        const whole = Buffer.from(bytes);
        const atOnce = new LineReader().push(whole);
        const reader = new LineReader();
        const pieces: Line[] = [];
        let at = 0;
        for (const cut of [...cuts, whole.length]) {
          pieces.push(...reader.push(whole.subarray(at, at + cut)));
          at += cut;
        }
        expect(pieces).toEqual(atOnce);
      }),
    );
  });

  it('hands arguments over byte for byte', () => {
    fc.assert(
      fc.property(
        anyText({ maxLength: 200 }).filter((text) => !/[\0\n\r]/.test(text)),
        (text) => expect(new LineReader().push(Buffer.from(`PASS ${text}\r\n`))).toEqual([line(`PASS ${text}`)]),
      ),
    );
  });
});

it('reads no more lines than are wanted, and the others when they are', () => {
  const reader = new LineReader();
  expect(reader.push(Buffer.from('A\r\nB\r\nC\r\nD'), 2)).toEqual([line('A'), line('B')]);
  expect(reader.holdsBytes).toBe(true);
  expect(reader.push(Buffer.from('\r\nE\r\n'), 1)).toEqual([line('C')]);
  expect(reader.take(9)).toEqual([line('D'), line('E')]);
  expect(reader.holdsBytes).toBe(false);
});

it('takes time in proportion to what came: for one long line byte by byte, for many short ones in one packet', () => {
  const byteByByte = (length: number) => () => {
    const reader = new LineReader();
    for (let sent = 0; sent < length; sent += 1) reader.push(Buffer.from([0x41]));
  };
  expect(growsTooFast({ from: LONGEST_LINE / 16, work: byteByByte })).toBeUndefined();
  const manyLines = (length: number) => {
    const packet = Buffer.alloc(length, '\n');
    return () => {
      const reader = new LineReader();
      for (let lines = reader.push(packet, 64); lines.length > 0; lines = reader.take(64));
    };
  };
  expect(growsTooFast({ from: 8_192, work: manyLines })).toBeUndefined();
  const telnet = (length: number) => {
    const bytes = Buffer.concat([Buffer.alloc(length, 255), Buffer.from('\n')]);
    return () => new LineReader().push(bytes);
  };
  expect(growsTooFast({ from: LONGEST_LINE / 16, work: telnet })).toBeUndefined();
});

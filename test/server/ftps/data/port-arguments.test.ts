import fc from 'fast-check';
import { epsvText, parseEprt, parsePort, pasvText, sameAddress } from '../../../../server/ftps/data/port-arguments';

describe('addresses and ports in commands and replies', () => {
  it('reads back what PASV writes, for every address and port', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }), (address, port) => {
        const numbers = /\(([\d,]+)\)/.exec(pasvText(address, port))![1]!;
        expect(parsePort(numbers)).toEqual({ address, port });
      }),
    );
  });

  it('reads EPRT for IPv4 and IPv6, with any delimiter', () => {
    expect(parseEprt('|1|192.0.2.1|6446|')).toEqual({ address: '192.0.2.1', port: 6446 });
    expect(parseEprt('!2!2001:db8::1!6446!')).toEqual({ address: '2001:db8::1', port: 6446 });
  });

  it('tells an unknown network protocol from nonsense (RFC 2428: 522, not 501)', () => {
    expect(parseEprt('|3|192.0.2.1|6446|')).toBe('unsupported');
    for (const wrong of ['', '|1|192.0.2.1|6446', '|1|2001:db8::1|6446|', '|1|192.0.2.1|65536|', '|x|192.0.2.1|1|']) expect(parseEprt(wrong)).toBeUndefined();
  });

  it('refuses PORT arguments that are no address', () => {
    for (const wrong of ['', '1,2,3,4,5', '256,0,0,1,4,5', '1,2,3,4,5,6,7', '1, 2,3,4,5,6', 'a,b,c,d,e,f']) expect(parsePort(wrong)).toBeUndefined();
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        parsePort(text);
        parseEprt(text);
      }),
    );
  });

  it('writes the EPSV reply in the form of RFC 2428', () => {
    expect(epsvText(50_007)).toBe('Entering Extended Passive Mode (|||50007|)');
  });

  it.each([
    ['2001:DB8:0:0::1', '2001:db8::1', true],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['fe80::1', 'fe80::1%eth0', true],
    ['192.0.2.1', '192.0.2.10', false],
    ['2001:db8::1', '2001:db8::2', false],
  ])('compares %s and %s as addresses', (one, other, same) => {
    expect(sameAddress(one, other)).toBe(same);
  });
});

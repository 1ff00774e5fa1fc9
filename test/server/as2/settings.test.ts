/** What settings of AS2 are told that contradict each other. */
import { ConfigError, checkServerConfig } from '../../../server/config';

const partner = { as2Id: 'Them', account: 'them', certificates: ['/them.pem'] };
const problemsOf = (as2: object, more: object = {}) => {
  try {
    checkServerConfig({
      listeners: [{ mode: 'explicit', port: 21 }],
      tls: { certificates: [{ kind: 'file', certificate: '/c', key: '/k' }] },
      storage: { kind: 'local', root: '/files' },
      identity: [{ kind: 'file', file: '/accounts.json' }],
      as2: { port: 4443, identity: { as2Id: 'Us', signing: { kind: 'file', certificate: '/c', key: '/k' } }, ...as2 },
      ...more,
    });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ key, message }) => `${key}: ${message}`);
    throw error;
  }
};

it('a partner with a certificate is enough', () => {
  expect(problemsOf({ partners: [partner] })).toEqual([]);
  expect(problemsOf({ port: undefined, partners: [partner] }, { https: { port: 443 } })).toEqual([]);
});

it.each<[string, object, RegExp]>([
  ['there is no port', { port: undefined }, /^as2\.port: is missing; AS2 needs a port of its own, or that of `https`/],
  ['the port is taken', { port: 21 }, /^as2\.port: 21 is already taken by listeners\[0\]\.port/],
  ['the port is passive', { plainPort: 50_001 }, /^as2\.plainPort: 50001 lies in passive\.ports/],
  ['two have one name', { partners: [partner, partner] }, /^as2\.partners\[1\]\.as2Id: "Them" is already the name of as2\.partners\[0\]/],
  ['one has our name', { partners: [{ ...partner, as2Id: 'Us' }] }, /is already the name of as2\.identity/],
  ['nothing could be verified', { partners: [{ ...partner, certificates: [] }] }, /certificates: is empty, and messages have to be signed/],
  [
    'an address is not encrypted',
    { partners: [{ ...partner, url: 'http://them/' }] },
    /url: http:\/\/them\/ is not encrypted; write https:\/\/, or set allowPlainHttp/,
  ],
  ['an address has a password', { partners: [{ ...partner, url: 'https://a:b@them/' }] }, /expected https:\/\/host\/path, without a name and password in it/],
  ['receipts have nowhere to go', { partners: [{ ...partner, url: 'https://them/', receipt: { kind: 'async' } }] }, /^as2\.identity\.url: is missing/],
  ['two folders are one', { partners: [{ ...partner, sent: '/inbox' }] }, /sent: \/inbox is already as2\.partners\[0\]\.inbox/],
  [
    'two share an outbox',
    {
      partners: [
        { ...partner, url: 'https://them/' },
        { ...partner, as2Id: 'Others', url: 'https://others/' },
      ],
    },
    /outbox: \/outbox of the account them is already the outbox/,
  ],
  ['a name has blanks at its end', { partners: [{ ...partner, as2Id: 'Them ' }] }, /expected a name without blanks at its ends/],
  ['the path is that of the API', { path: '/api/v1' }, /^as2\.path: \/api\/v1 is where the API of HTTPS is/],
])('says so where %s', (_what, as2, problem) => {
  expect(problemsOf(as2)).toEqual([expect.stringMatching(problem)]);
});

it('within FIPS 140-3, SHA-1, 3DES and PKCS #1 key transport are refused', () => {
  const fips = { tls: { policy: 'fips', certificates: [{ kind: 'file', certificate: '/c', key: '/k' }] } };
  const url = 'https://them/';
  const weak = { ...partner, url, digests: ['sha1'], ciphers: ['des-ede3-cbc'], send: { sign: 'sha1', encrypt: 'des-ede3-cbc' } };
  expect(problemsOf({ partners: [weak] }, fips)).toEqual(
    ['digests', 'ciphers', 'send.sign', 'send.encrypt', 'send.keyTransport'].map((key) =>
      expect.stringMatching(`^as2\\.partners\\[0\\]\\.${key}: is or has ".*", which tls\\.policy "fips" does not take`),
    ),
  );
  expect(
    problemsOf(
      {
        partners: [
          { ...partner, url, send: { keyTransport: 'rsa-oaep' } },
          { ...partner, as2Id: 'Who only sends' },
        ],
      },
      fips,
    ),
  ).toEqual([]);
});

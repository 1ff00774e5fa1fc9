/** What is wrong in a settings file, in words that say what would be right. */
import { checkServerConfig } from '../../../server/config';

const base = {
  listeners: [{ mode: 'explicit', port: 0 }],
  storage: { kind: 'local', root: '/srv/ftps' },
  tls: { certificates: [{ kind: 'file', certificate: '/c.pem', key: '/k.pem' }] },
  identity: [{ kind: 'file', file: '/a.json' }],
};
const as2 = (partner: object) => ({
  https: { port: 0 },
  as2: {
    identity: { as2Id: 'US', signing: { kind: 'file', certificate: '/c.pem', key: '/k.pem' } },
    partners: [{ as2Id: 'ACME', account: 'acme', ...partner }],
  },
});

it.each<[string, object, RegExp]>([
  ['a text for a list', { listeners: 'all' }, /^listeners: "all": expected a list, \[ … \]$/],
  ['a missing list', { listeners: undefined }, /^listeners: is missing; expected a list, \[ … \]$/],
  ['an empty list', { listeners: [] }, /^listeners: \[\]: expected 1 of them or more$/],
  ['a text for a block', { https: 'on' }, /^https: "on": expected a block, \{ … \}$/],
  ['a text for a number', { https: { port: '443' } }, /^https\.port: "443": expected a number$/],
  ['a broken number', { https: { port: 1.5 } }, /^https\.port: 1\.5: expected a whole number$/],
  ['a number that is too large', { https: { port: 70_000 } }, /^https\.port: 70000: expected 65535 at most$/],
  ['a number that is too small', { https: { port: 0, headSeconds: 0 } }, /^https\.headSeconds: 0: expected more than 0$/],
  ['a kind that is none', { storage: { kind: 'nfs' } }, /^storage\.kind: "nfs": expected "local" or "s3"$/],
  ['no kind', { storage: { root: '/srv' } }, /^storage\.kind: is missing; expected "local" or "s3"$/],
  ['a word for yes', { sftp: { port: 0, hostKeys: [{ kind: 'file', file: '/k' }], scp: 'yes' } }, /^sftp\.scp: "yes": expected true or false$/],
  [
    'none of several kinds of values',
    as2({ certificates: ['/c.pem'], send: { encrypt: 'aes' } }),
    /^as2\.partners\[0\]\.send\.encrypt: "aes": expected false or "aes-128-cbc" or "aes-192-cbc" or /,
  ],
])('%s', (_, wrong, words) => {
  expect(() => checkServerConfig({ ...base, ...wrong })).toThrow(words);
});

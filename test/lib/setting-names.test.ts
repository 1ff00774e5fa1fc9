/** What a person is told is wrong stands under that name in the app. */
import { inProps, type Said } from '../../lib/setting-names';

const said: Said = {
  settings: { explicitPort: 0, https: {}, overrides: { limits: { stallSeconds: 5 }, listeners: [{ mode: 'implicit', deny: ['x'] }] } },
  sources: 1,
};
const named = (key: string, message = 'x', of = said) => inProps({ key, message }, of);

it.each([
  ['https.signInIdleSeconds', 'server.https.signInIdleTimeout'],
  ['https', 'server.https'],
  ['sftp.userCertificates.revoked[0]', 'server.sftp.userCertificates.revoked[0]'],
  ['sftp.hostKeys[0]', 'hostKeys[0]'],
  ['as2.partners[1].send.sign', 'server.as2.agreements[1].signDigest'],
  ['as2.messageBytes', 'server.as2.maxMessageSize'],
  ['tls.clientCrl', 'clientTrust'],
  ['firewall.mode', 'server.justInTimeFirewall'],
  ['afterRelease.webhooks[0].requestSeconds', 'webhooks[0].requestTimeout'],
  ['identity[0].users.base', 'accounts.userBase'],
  // There is one listener, the implicit one.
  ['listeners[0].port', 'server.implicitPort'],
  ['listeners[0].clientCertificates', 'server.clientCertificates'],
  ['listeners[0].deny[0]', 'server.overrides.listeners[0].deny[0]'],
  ['limits.stallSeconds', 'server.overrides.limits.stallSeconds'],
  ['overrides.limits.lockout.table', 'server.overrides.limits.lockout.table'],
])('%s is %s', (key, prop) => expect(named(key)).toBe(`${prop}: x`));

it('so is what a sentence speaks of, and nothing else in it', () => {
  expect(named('as2.port', '443 is already taken by https.port; see limits.idleSeconds, passive.ports 1-2 and tls.policy "fips"')).toBe(
    'server.as2.port: 443 is already taken by server.https.port; see server.idleTimeout, server.passivePorts 1-2 and server.tlsPolicy "fips"',
  );
  const words = 'http://as2.example.com/as2 and as2.example.com, storage, a@https.example.com: leave https out';
  expect(named('as2.port', words)).toBe(`server.as2.port: ${words}`);
});

it('of several sources of accounts the one that is meant is told', () =>
  expect(named('identity[1].rules[0].account.home', 'x', { ...said, sources: 2 })).toBe('accounts[1].rules[0].home: x'));

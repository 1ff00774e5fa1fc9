import { refuseUnknownProps } from '../../lib/known-props';

it.each<[string, unknown, string | RegExp]>([
  ['FtpsServiceProps', { clientCIDRs: [] }, 'clientCIDRs: is unknown to FtpsServiceProps; did you mean clientCidrs?'],
  ['FtpsServiceProps', { server: { idleTimout: 5 } }, 'server.idleTimout: is unknown to FtpsServerSettings; did you mean idleTimeout?'],
  ['DirectoryAccountsProps', { rules: [{}, { allowedNetwork: [] }] }, 'rules[1].allowedNetwork: is unknown to DirectoryRule; did you mean allowedNetworks?'],
  ['FtpsServiceProps', { server: { https: true } }, /^server\.https: true is no block; write \{ … \}, in it what is needed of port, clientCertificates, /],
  ['FtpsServiceProps', { server: { https: { links: true } } }, 'server.https.links: true is no block; write { … }, in it what is needed of defaultDuration, '],
  ['FtpsServiceProps', { server: { sftp: 'on' } }, 'server.sftp: "on" is no block'],
  ['FtpsServiceProps', { server: { as2: [] } }, 'server.as2: [] is no block'],
  ['FtpsServiceProps', { server: null }, 'server: null is no block'],
  ['FtpsServiceProps', { image: () => ({}) }, 'image: a function is no block'],
  ['FtpsServiceProps', { webhooks: { name: 'erp' } }, /^webhooks: a block is no list; write \[\{ … \}\], in each what is needed of name, url, /],
  ['FtpsServiceProps', { webhooks: [true] }, 'webhooks[0]: true is no block'],
  ['FtpsServiceProps', true, 'FtpsServiceProps: true is no block'],
  ['ImageWatchProps', { colour: 1 }, 'colour: is unknown to ImageWatchProps; there are imageArnPrefix'],
])('%s refuses %j', (of, props, words) => expect(() => refuseUnknownProps(props as object, of)).toThrow(words));

it('takes what is known, and undefined under any name', () => {
  expect(() => refuseUnknownProps({ server: { idleTimeout: 5 }, clientCidrs: [], other: undefined }, 'FtpsServiceProps')).not.toThrow();
});

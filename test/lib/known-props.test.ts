import { refuseUnknownProps } from '../../lib/known-props';

it.each([
  ['FtpsServiceProps', { clientCIDRs: [] }, 'clientCIDRs: is unknown to FtpsServiceProps; did you mean clientCidrs?'],
  ['FtpsServiceProps', { server: { idleTimeout: 5 } }, 'server.idleTimeout: is unknown to FtpsServerSettings; did you mean idleSeconds?'],
  ['DirectoryAccountsProps', { rules: [{}, { allowedNetwork: [] }] }, 'rules[1].allowedNetwork: is unknown to DirectoryRule; did you mean allowedNetworks?'],
  ['ImageWatchProps', { colour: 1 }, 'colour: is unknown to ImageWatchProps; there are imageArnPrefix'],
])('%s refuses %j', (of, props, words) => expect(() => refuseUnknownProps(props, of)).toThrow(words));

it('takes what is known, and undefined under any name', () => {
  expect(() => refuseUnknownProps({ server: { idleSeconds: 5 }, clientCidrs: [], other: undefined }, 'FtpsServiceProps')).not.toThrow();
});

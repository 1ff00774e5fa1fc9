import { refuseUnknownProps } from '../../lib/known-props';

it.each([
  ['FtpsServiceProps', { clientCIDRs: [] }, 'clientCIDRs: is unknown to FtpsServiceProps; did you mean clientCidrs?'],
  ['FtpsServiceProps', { server: { idleTimout: 5 } }, 'server.idleTimout: is unknown to FtpsServerSettings; did you mean idleTimeout?'],
  ['DirectoryAccountsProps', { rules: [{}, { allowedNetwork: [] }] }, 'rules[1].allowedNetwork: is unknown to DirectoryRule; did you mean allowedNetworks?'],
  ['ImageWatchProps', { colour: 1 }, 'colour: is unknown to ImageWatchProps; there are imageArnPrefix'],
])('%s refuses %j', (of, props, words) => expect(() => refuseUnknownProps(props, of)).toThrow(words));

it('takes what is known, and undefined under any name', () => {
  expect(() => refuseUnknownProps({ server: { idleTimeout: 5 }, clientCidrs: [], other: undefined }, 'FtpsServiceProps')).not.toThrow();
});

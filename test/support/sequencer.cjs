const { default: Sequencer } = require('@jest/test-sequencer');

/** Those that take long and are small. Where jest has seen no run it begins with large files, and would wait at the end for these. */
const LONG = [
  'server/ftps/transfer/aborts',
  'lib/as2/as2',
  'server/as2/exchange',
  'server/as2/restart',
  'lib/ten-lines',
  'server/ftps/firewall/remote-firewall',
  'server/identity/accounts',
  'server/ftps/control/long-commands',
  'server/ftps/data/thief',
  'server/ftps/data/passive-ports',
  'server/ssh/abuse',
];

module.exports = class extends Sequencer {
  sort(tests) {
    const turnOf = ({ path }) => {
      const at = LONG.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
      return at < 0 ? LONG.length : at;
    };
    return super.sort(tests).sort((one, other) => turnOf(one) - turnOf(other));
  }
};

// What the bundle takes of ssh2 1.17.0: a place for key exchanges of ours, and none of what is native or WebAssembly. Every replacement is asserted.
import { readFileSync } from 'node:fs';

const VERSION = '1.17.0';

/** By file: what stands there exactly once, and what takes its place. */
const replacements = {
  'lib/protocol/kex.js': [
    [
      'throw new Error(`Unsupported key exchange algorithm: ',
      'if (addedKeyExchanges.has(kexType)) return new (addedKeyExchanges.get(kexType))(...args);\n      throw new Error(`Unsupported key exchange algorithm: ',
    ],
    [
      '  class ECDHExchange extends KeyExchange {',
      '  addKeyExchange = (name, make) => addedKeyExchanges.set(name, make(Curve25519Exchange));\n\n  class ECDHExchange extends KeyExchange {',
    ],
    ['const createKeyExchange = (() => {', 'const addedKeyExchanges = new Map();\nlet addKeyExchange;\nconst createKeyExchange = (() => {'],
    ['module.exports = {\n  KexInit,', 'module.exports = {\n  addKeyExchange,\n  KexInit,'],
  ],
  'lib/protocol/crypto.js': [
    ["binding = require('./crypto/build/Release/sshcrypto.node');", "throw new Error('nothing native is in the bundle');"],
    // ChaCha20-Poly1305, which is not offered.
    ["POLY1305_WASM_MODULE = await require('./crypto/poly1305.js')();", 'return resolve();'],
  ],
  'lib/protocol/constants.js': [["cpuInfo = require('cpu-features')();", "throw new Error('nothing native is in the bundle');"]],
};

/** The plugin of esbuild that does it. */
export const ssh2 = {
  name: 'ssh2',
  setup(build) {
    build.onLoad({ filter: /node_modules\/ssh2\/lib\/protocol\/(kex|crypto|constants)\.js$/ }, ({ path }) => {
      const root = path.slice(0, path.indexOf('/lib/'));
      const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
      if (version !== VERSION) throw new Error(`ssh2 is ${version}; its internals were read at ${VERSION}, read them again (tools/bundled/ssh2.mjs)`);
      let contents = readFileSync(path, 'utf8');
      for (const [from, to] of replacements[path.slice(root.length + 1)]) {
        if (contents.split(from).length !== 2) throw new Error(`ssh2: ${path} does not have "${from.slice(0, 60)}" once`);
        contents = contents.replace(from, () => to);
      }
      return { contents, loader: 'js' };
    });
  },
};

// Keeps the public API that a version was released with, for the next one to be compared with: what jsii wrote into .jsii (npm pack), without its words. usage: node tools/api.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const leftOut = ['readme', 'locationInModule', 'symbolId', 'metadata', 'fingerprint'];
const assembly = JSON.parse(readFileSync(join(root, '.jsii'), 'utf8'), (key, value) => {
  if (key === 'docs') return { stability: value.stability };
  return leftOut.includes(key) ? undefined : value;
});
const file = join(root, 'test/api/released.jsii.gz');
writeFileSync(file, gzipSync(JSON.stringify({ ...assembly, fingerprint: '' }), { level: 9 }));
console.log(`test/api/released.jsii.gz: the API of ${assembly.version}`);

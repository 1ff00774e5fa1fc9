// Which packages are in a bundle, by what esbuild says it took from where: not what was installed, but what is shipped.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const require = createRequire(import.meta.url);
const folderOf = (file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];

/**
 * Packages with at least one byte in an output, sorted by name and version, and which of them import which.
 * @param metafile what esbuild's `metafile: true` gives (esbuild, "Build metadata")
 * @returns a map from `name@version` to { manifest, text, imports }; what the project itself imports is `direct`
 */
export function packagesIn({ inputs, outputs }) {
  const contained = new Set();
  for (const output of Object.values(outputs))
    for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) if (bytesInOutput > 0 && folderOf(file)) contained.add(folderOf(file));
  const packages = new Map([...contained].map((folder) => [folder, describe(folder)]));
  const direct = new Set();
  for (const [file, { imports }] of Object.entries(inputs))
    for (const { path } of imports) {
      const [from, to] = [folderOf(file), folderOf(path)];
      if (from === to || !packages.has(to)) continue;
      if (from === undefined) direct.add(packages.get(to).key);
      else packages.get(from)?.imports.add(packages.get(to).key);
    }
  const sorted = [...packages.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return { packages: new Map(sorted.map((one) => [one.key, one])), direct };
}

/** A package that is shipped as it is, beside the bundles. */
export function installed(name) {
  return describe(join('node_modules', name));
}

function describe(folder) {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  // As old manifests have it: a list of objects.
  manifest.license ??= manifest.licenses?.map(({ type }) => type).join(' OR ');
  return { key: `${manifest.name}@${manifest.version}`, manifest, text: licenceText(folder, manifest), imports: new Set() };
}

/** Licences that are the same for everybody: their text names no holder of rights, or does not ask for it to be kept. */
const WITHOUT_NAMES = ['Apache-2.0', 'MIT-0'];

/** Licence and notices as the package brings them. A few bring none: then what their README says, or the text by SPDX. */
function licenceText(folder, { name, license }) {
  const read = (file) =>
    readFileSync(join(root, folder, file), 'utf8')
      .replaceAll('\r\n', '\n')
      .trim();
  const files = readdirSync(join(root, folder)).sort();
  const own = files.filter((file) => /^(licen[sc]e|copying|notice|copyrightnotice)(\W|$)/i.test(file));
  if (own.length > 0) return own.map(read).join('\n\n');
  const readme = files.filter((file) => /^readme/i.test(file)).map(read)[0] ?? '';
  const [, section] = /^#+ *licen[sc]e *\n+([^#]*copyright[^#]*)/im.exec(readme) ?? [];
  if (section) return section.trim();
  if (WITHOUT_NAMES.includes(license)) return require(`spdx-license-list/licenses/${license}.json`).licenseText.trim();
  throw new Error(`${name} brings no text of its licence (${license}); it can't be shipped without one`);
}

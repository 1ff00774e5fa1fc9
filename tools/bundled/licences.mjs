// The licences of what is bundled, with their texts, which is what they ask for.

/** @param packages a map from `name@version` to packages, as of packages.mjs */
export function licenceList(packages) {
  const byText = new Map();
  for (const [key, { manifest, text }] of packages) {
    if (typeof manifest.license !== 'string') throw new Error(`${key} names no licence in its package.json`);
    byText.set(text, [...(byText.get(text) ?? []), `${key}  ${manifest.license}`]);
  }
  const parts = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`);
  return `The code of these packages is part of what stands beside this file. Each is followed by its licence.\n\n${parts.map((part) => `${'='.repeat(80)}\n${part}`).join('\n')}`;
}

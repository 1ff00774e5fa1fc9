/** An import of AS2 as TypeScript for the app, beside the certificates that it names. */
import type { As2Plan, PlannedPartner, Value } from './as2-plan';

/** A file of the app. `folder` is how the app names the folder of the certificates. */
export function codeOf({ as2Id, partners }: As2Plan, folder: string): string {
  const enums = [...new Set(partners.flatMap(({ agreement }) => Object.values(agreement).flatMap((one) => (isChoice(one) ? [one.of] : []))))].sort();
  const imports = ['type As2Partner', 'type As2Settings', ...enums].sort((one, other) =>
    one.replace('type ', '').localeCompare(other.replace('type ', ''), 'en'),
  );
  const names = namesOf(partners);
  return `/** AS2 as it was in AWS Transfer Family. */
import { ${imports.join(', ')} } from 'cdk-ftps';

${partners.map((one, index) => `const ${names[index]}: As2Partner = ${object(inFolder(one, folder), '')};\n`).join('\n')}
/** For \`server: { as2 }\` of the service or of an environment. */
export const as2: As2Settings = {
  as2Id: ${text(as2Id)},
  agreements: [
${partners.map(({ agreement, home }, index) => `${home === undefined ? '' : `    // ${home.replaceAll(/[\r\n]/g, ' ')} was its folder: new FtpsAccount(stack, ${text(agreement['account'] as string)}, { accounts, home, logsIn: false }) with the home that its files have here.\n`}    { partner: ${names[index]}, ${pairs(agreement)} },\n`).join('')}  ],
};
`;
}

function inFolder({ partner }: PlannedPartner, folder: string): Record<string, Value> {
  const file = (name: Value) => (typeof name === 'string' ? `${folder}/${name}` : name);
  return Object.fromEntries(
    Object.entries(partner).map(([key, value]) => {
      if (key === 'certificates') return [key, (value as readonly Value[]).map(file)];
      return [key, key === 'encryptionCertificate' || key === 'tlsCa' ? file(value) : value];
    }),
  );
}

/** Each its own, as TypeScript takes it. */
function namesOf(partners: readonly PlannedPartner[]): string[] {
  const names: string[] = [];
  for (const { account } of partners) {
    const name = `partner${account.replaceAll(/(^|-)(.)/g, (_, __, letter: string) => letter.toUpperCase())}`;
    names.push(names.includes(name) ? `${name}${names.length + 1}` : name);
  }
  return names;
}

const isChoice = (value: Value): value is Extract<Value, { readonly of: string }> => typeof value === 'object' && 'of' in value;
const text = (value: string) => `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

function written(value: Value): string {
  if (isChoice(value)) return `${value.of}.${value.choice}`;
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  return typeof value === 'string' ? text(value) : String(value);
}

const pairs = (values: Readonly<Record<string, Value>>) =>
  Object.entries(values)
    .map(([key, value]) => `${key}: ${written(value)}`)
    .join(', ');

function object(values: Readonly<Record<string, Value>>, indent: string): string {
  return `{\n${Object.entries(values)
    .map(([key, value]) => `${indent}  ${key}: ${written(value)},\n`)
    .join('')}${indent}}`;
}

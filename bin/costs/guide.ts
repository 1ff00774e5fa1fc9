/** Writes docs/costs.md and the tables of costs in other pages, from the templates and the table of prices. usage: npm run docs */
import type { App } from 'aws-cdk-lib';
import { type Bill, billOf, type Resource } from './bill';
import { type GigabytePrice, gigabytePriceOf, gigabytePrices } from './per-gigabyte';
import { HOURS, instancePrices, type Price, prices, REGION } from './prices';

interface Environment {
  readonly name: string;
  readonly bill: Bill;
  readonly gigabyte: GigabytePrice;
  /** `2 x c7g.large` */
  readonly machines: string;
}

function environmentOf(app: App, name: string): Environment {
  const assembly = app.synth().nestedAssemblies.find(({ displayName }) => displayName === name)!.nestedAssembly;
  const resources = assembly.stacks.flatMap(({ template }) => Object.values(template.Resources as Record<string, Resource>));
  const group = resources.find(({ Type }) => Type === 'AWS::AutoScaling::AutoScalingGroup')!;
  const template = resources.find(({ Type }) => Type === 'AWS::EC2::LaunchTemplate')!;
  const machines = `${group.Properties.MinSize} x ${template.Properties.LaunchTemplateData.InstanceType}`;
  return { name, bill: billOf(resources), gigabyte: gigabytePriceOf(resources), machines };
}

const whole = (usd: number) => Math.round(usd).toLocaleString('en');
const exact = (usd: number) => usd.toFixed(2);
const small = (usd: number) => (usd === 0 ? '0' : usd < 0.01 ? usd.toFixed(4) : usd.toFixed(2));
const table = (rows: readonly (readonly string[])[]) =>
  [rows[0]!, rows[0]!.map(() => '---'), ...rows.slice(1)].map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');

const transferFamilyHours = (hours: number) => hours * prices.transferFamilyProtocol.usd;

/** What staging and prod cost beside AWS Transfer Family, for the README. */
export function costsTable(app: App): string {
  const [staging, prod] = ['staging', 'prod'].map((name) => environmentOf(app, name)) as [Environment, Environment];
  const up = prices.transferFamilyGigabyte.usd;
  const gigabyte = ({ gigabyte: { up: written, down: read } }: Environment) => (written + read === 0 ? '0' : `${small(written)} up, ${small(read)} down`);
  return table([
    ['USD', ...[staging, prod].map(({ name, machines }) => `${name}, ${machines}`), 'AWS Transfer Family, one FTPS endpoint'],
    ['a month', ...[staging, prod].map(({ bill }) => `about ${whole(bill.usd)}`), `about ${whole(transferFamilyHours(HOURS))}`],
    ['each GB moved', gigabyte(staging), gigabyte(prod), `${up} up, ${up} down`],
    ['each GB stored, a month', small(staging.gigabyte.stored), small(prod.gigabyte.stored), 'that of S3 or EFS'],
  ]);
}

/** What moving so much costs in a month, here and there. */
export function comparison(app: App): string {
  const { bill, gigabyte } = environmentOf(app, 'prod');
  const here = (gigabytes: number, { up }: GigabytePrice) => whole(bill.usd + gigabytes * up);
  const there = (gigabytes: number, protocols = 1) => whole(protocols * transferFamilyHours(HOURS) + gigabytes * prices.transferFamilyGigabyte.usd);
  const kinds = [gigabyte, ...gigabytePrices.filter(({ kind }) => kind !== 'disk' && kind !== gigabyte.kind)];
  const row = (words: string, gigabytes: number, protocols = 1) => [words, there(gigabytes, protocols), ...kinds.map((kind) => here(gigabytes, kind))];
  return table([
    ['uploaded in a month', 'AWS Transfer Family', ...kinds.map(({ kind }, index) => `here, ${kind}${index === 0 ? ' (as it comes)' : ''}`)],
    row('10 GB', 10),
    row('1,000 GB', 1000),
    row('10,000 GB', 10_000),
    row('two protocols, 1,000 GB (here FTPS alone)', 1000, 2),
  ]);
}

function billTable({ bill }: Environment): string {
  const sorted = [...bill.lines].sort((one, other) => other.usd - one.usd);
  return table([
    ['what', 'how many', 'USD a month', ''],
    ...sorted.map(({ what, count, usd, note }) => [what, String(count), exact(usd), note ?? '']),
    ['**together**', '', `**${exact(bill.usd)}**`, `${exact(bill.usdLater)} from the third year on, when each key has been rotated twice`],
  ]);
}

export function costsGuide(app: App): string {
  const environments = ['prod', 'staging'].map((name) => environmentOf(app, name));
  const byUse = new Map(environments.flatMap(({ bill }) => [...bill.byUse]));
  const all: readonly (readonly [string, Price])[] = [...Object.entries(instancePrices), ...Object.entries(prices)];
  return `# Costs

Every resource type of the templates is counted here, named as paid by use, or known to be free; a test fails for one that is none of them. This page is written from the templates and from
one table of prices in the code (\`npm run docs\`): list prices of ${REGION}, in USD, on demand, without free tiers and discounts. [Their table](#the-prices) says
where each was seen, how old that is, and which ones weren't confirmed. Prices change and differ between regions: ask AWS's page before you decide. \`npm start\` prints the same figures
for your settings. Not in them: traffic to the internet (${prices.internetOut.usd} a GB), what is stored, and what is logged.

${environments.map((one) => `## A month of ${one.name}\n\n${billTable(one)}`).join('\n\n')}

## Each GB

AWS Transfer Family asks ${prices.transferFamilyGigabyte.usd} a GB up and ${prices.transferFamilyGigabyte.usd} down, besides what S3 or EFS ask. Here a GB costs what its storage asks:

${table([
  ['files lie in', 'a GB up', 'a GB down', 'a GB stored, a month', ''],
  ...gigabytePrices.map(({ kind, up, down, stored, note }) => [kind, small(up), small(down), small(stored), note]),
])}

EFS asks ${prices.efsStoredInfrequent.usd} a GB for files that nobody has read for 30 days, and ${prices.efsBackup.usd} a GB for the daily backup. A network load balancer adds ${prices.loadBalancerUnit.usd} a GB and
AWS Network Firewall ${prices.networkFirewallGigabyte.usd}, each way.

## Paid by use

${table([['resource type', 'price'], ...[...byUse].sort().map(([type, words]) => [type, words])])}

Each account in Secrets Manager is a secret of its own, ${prices.secret.usd} a month. Where Amazon Inspector is switched on in the account, it asks ${prices.inspector.usd} for each instance and month.

## The prices

Compared in November 2026 with what is public of AWS's prices, not with AWS's pages of that day:

- *price list, 2026*: tables that others made from AWS's price list in September and October 2026
- *Infracost, 2024*: what Infracost calculates from AWS's price list, as its tests expect it since July 2024 (endpoints since October, DynamoDB since November); what changed later isn't in it
- *examples of the page*: examples on AWS's page, copied by others on 7 October 2026
- *copy of the page*: a copy of AWS's page that bears no date
- *not confirmed*: none of these; what others say that the page says, or as it is generally known

${table([['price', 'USD', 'per', 'page of AWS', 'seen in'], ...all.map(([name, { usd, per, source, seen }]) => [name, String(Number(usd.toPrecision(6))), per, source, seen])])}
`;
}

const BEGIN = '<!-- costs: written by `npm run docs` -->';
const END = '<!-- end of costs -->';

/** A page with its table of costs written anew; an Error where the page has no place for it. */
export function withCosts(page: string, costs: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (rest === undefined || after === undefined) throw new Error(`there is no ${BEGIN} … ${END}`);
  return `${before}${BEGIN}\n\n${costs}\n\n${END}${after}`;
}

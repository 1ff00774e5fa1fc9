import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as Spec from '@cyclonedx/cyclonedx-library/Spec';
import * as Validation from '@cyclonedx/cyclonedx-library/Validation';
import { version } from '../../package.json';
import { objectionsToApi } from '../../tools/api-changes';
import { type AuditReport, objections } from '../../tools/audit';

const root = join(__dirname, '../..');
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');

it('the newest version in CHANGELOG.md is that of the package, and a semantic one', () => {
  const headings = [...read('CHANGELOG.md').matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!);
  expect(headings.filter((heading) => heading !== 'Unreleased')[0]).toBe(version);
  for (const heading of headings) expect(heading).toMatch(/^(Unreleased|\d+\.\d+\.\d+(-[\w.]+)?)$/);
  expect(headings.indexOf('Unreleased')).toBeLessThanOrEqual(0);
});

describe.each(['dist/image/ftps.cdx.json', 'dist/cdk-ftps.cdx.json'])('the bill of materials %s', (file) => {
  const bill = JSON.parse(read(file));

  it('is one by the schema of CycloneDX', async () => {
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(read(file))).toBeNull();
  });

  it('has neither time nor serial number, so that it is the same whenever it is built', () => {
    expect(bill.metadata.timestamp).toBeUndefined();
    expect(bill.serialNumber).toBeUndefined();
  });

  it('names the locked versions, each by its purl, and how they hang together', () => {
    const { packages } = JSON.parse(read('package-lock.json'));
    const locked = new Set(
      Object.entries(packages as Record<string, { version: string }>).map(([path, one]) => `${path.split('node_modules/').pop()}@${one.version}`),
    );
    const names = bill.components.map(({ group, name, version: of }: Record<string, string>) => `${group ? `${group}/` : ''}${name}@${of}`);
    expect(names.filter((name: string) => !locked.has(name))).toEqual([]);
    expect(bill.components.map(({ purl }: { purl: string }) => purl)).toEqual(
      names.map((name: string) => `pkg:npm/${name.replace('@', name.startsWith('@') ? '%40' : '@')}`),
    );
    const needed = new Set([bill.metadata.component['bom-ref']]);
    for (const ref of needed) for (const next of bill.dependencies.find((one: { ref: string }) => one.ref === ref)?.dependsOn ?? []) needed.add(next);
    expect(bill.components.map((one: { 'bom-ref': string }) => one['bom-ref']).filter((ref: string) => !needed.has(ref))).toEqual([]);
  });

  it('has only packages by licences that ask for no more than their text, and the text stands beside it', () => {
    const allowed = ['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', 'Unlicense', 'CC0-1.0'];
    const texts = read(file, '../THIRD-PARTY-LICENSES');
    for (const { purl, licenses } of bill.components) {
      expect(licenses.map(({ license }: { license: { id: string } }) => license.id).filter((id: string) => !allowed.includes(id))).toEqual([]);
      expect(licenses.length).toBeGreaterThan(0);
      expect(texts).toContain(`\n${decodeURIComponent(purl.slice('pkg:npm/'.length))}  ${licenses[0].license.id}\n`);
    }
  });
});

it('the bill of the server names its hash, and what the server is made of', () => {
  const { metadata, components } = JSON.parse(read('dist/image/ftps.cdx.json'));
  const sha256 = createHash('sha256').update(read('dist/image/ftps.js')).digest('hex');
  expect(metadata.component).toMatchObject({ version, hashes: [{ alg: 'SHA-256', content: sha256 }] });
  const names = components.map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(['ftp-srv', 'zod', 'commander', 'client-s3', 'ldapts']));
  expect(names).not.toContain('aws-cdk-lib');
});

describe('npm run audit', () => {
  const report: AuditReport = {
    auditReportVersion: 2,
    vulnerabilities: {
      ip: {
        via: [
          {
            name: 'ip',
            title: 'SSRF improper categorization in isPublic',
            url: 'https://github.com/advisories/GHSA-2p57-rm9w-gvfp',
            severity: 'high',
            range: '<=2.0.1',
          },
        ],
      },
      'ftp-srv': { via: ['ip'] },
    },
  };
  const exception = { advisory: 'GHSA-2p57-rm9w-gvfp', package: 'ip', reason: 'isPublic is called nowhere', expires: '2027-01-31' };

  it('fails for what has no exception', () =>
    expect(objections(report, [], '2027-01-01')).toEqual([expect.stringMatching(/^GHSA-2p57-rm9w-gvfp ip <=2\.0\.1: high, SSRF/)]));

  it('passes with an exception that has a reason and has not ended', () => expect(objections(report, [exception], '2027-01-31')).toEqual([]));

  it.each([
    [{ ...exception, reason: ' ' }, 'has no reason'],
    [{ ...exception, expires: '2026-12-31' }, 'ended on 2026-12-31'],
    [{ ...exception, expires: 'never' }, 'needs an end'],
  ])('fails for the exception %j', (one, why) => expect(objections(report, [one], '2027-01-01').join()).toContain(why));

  it('fails for an exception of what is no longer found', () =>
    expect(objections({ ...report, vulnerabilities: {} }, [exception], '2027-01-01').join()).toContain('no longer needed'));
});

describe('the public API', () => {
  const difference = `Original assembly: cdk-ftps@0.1.0
err  - TYPE cdk-ftps.LoadBalancer: has been removed [removed:cdk-ftps.LoadBalancer]
err  - PROP cdk-ftps.AuditLog.encryptionKey: type Key (formerly IKey) [changed-type:cdk-ftps.AuditLog.encryptionKey]
`;
  const told =
    '# Changes\n\n## Unreleased\n\n- **Breaking**: `LoadBalancer` is `FtpsLoadBalancer`; `encryptionKey` of the audit is an `IKey`.\n\n## 0.1.0\n\n- The first.\n';
  const change = { difference, released: '0.1.0', version: '0.1.0', changes: told, upgrading: '' };

  it('may break before a release, where the changes name what is broken', () => expect(objectionsToApi(change)).toEqual([]));

  it('may not break what the newest changes do not name', () =>
    expect(objectionsToApi({ ...change, changes: told.replace('`LoadBalancer` is', 'Something is') })).toEqual([
      'LoadBalancer: is named neither in the newest changes nor in what has to be changed (TYPE cdk-ftps.LoadBalancer: has been removed)',
    ]));

  it('may be told of in what has to be changed', () =>
    expect(objectionsToApi({ ...change, changes: '## Unreleased\n', upgrading: '# Steps\n\n## 0.1 to the next\n\n`LoadBalancer`, `encryptionKey`\n' })).toEqual(
      [],
    ));

  it.each([
    ['0.1.1', 1],
    ['0.2.0', 0],
    ['1.0.0', 0],
  ])('of a release that breaks raises the version: %s', (version, objectionCount) => {
    const released = told.replace('Unreleased', version);
    expect(objectionsToApi({ ...change, version, changes: released })).toHaveLength(objectionCount);
  });
});

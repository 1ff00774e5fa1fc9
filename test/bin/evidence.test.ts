import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environmentsApp } from '../../bin/compliance/guide';
import { controls } from '../../bin/evidence/controls';
import { examineControls } from '../../bin/evidence/examine';
import { evidencePage } from '../../bin/evidence/html';
import { readAssembly, readTests, type Synthesized, subjectOf, type TestResult } from '../../bin/evidence/subject';

const root = join(__dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'ftps-evidence-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const silent = jest.spyOn(console, 'error').mockReturnValue();
environmentsApp({ outdir: folder }).synth();
silent.mockRestore();
const stacks = readAssembly(folder, 'prod');

/** Every test that a control may name, as though it had passed; the names are read out of the tests themselves. */
const named = [...readFileSync(join(root, 'bin/evidence/controls.ts'), 'utf8').matchAll(/'(test\/[^']+\.test\.ts)'/g)].map(([, file]) => file!);
const tests: TestResult[] = [...new Set(named)].flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/\bit(?:\.each\([\s\S]*?\))?\(\s*(['`])(.+?)\1,/g)].map(([, , name]) => ({
    file,
    name: name!,
    passed: true,
  })),
);

const examine = (changed: readonly Synthesized[] = stacks, results = tests) => examineControls(controls, subjectOf('prod', changed, results));
/** The environment without one resource, or with another text in its place. */
function without(id: string, replace?: (text: string) => string): Synthesized[] {
  return stacks.map((stack) => {
    const { [id]: found, ...others } = stack.template.Resources;
    if (!found) return stack;
    return { ...stack, template: { Resources: replace ? { ...others, [id]: JSON.parse(replace(JSON.stringify(found))) } : others } };
  });
}
const idsOf = (type: RegExp) => stacks.flatMap(({ template }) => Object.entries(template.Resources).flatMap(([id, { Type }]) => (type.test(Type) ? [id] : [])));
const missing = (changed?: readonly Synthesized[], results?: TestResult[]) =>
  examine(changed, results).controls.flatMap(({ id, status, claims }) =>
    status === 'missing' ? claims.filter(({ evidence }) => evidence.length === 0).map(({ text }) => `${id}: ${text}`) : [],
  );

describe('the evidence for prod', () => {
  it('shows everything that is claimed, and says what is not covered', () => {
    expect(missing()).toEqual([]);
    const { inOrder, controls: examined } = examine();
    expect(inOrder).toBe(true);
    expect(examined.filter(({ status }) => status === 'not-covered').every(({ why }) => Boolean(why))).toBe(true);
    expect(examined.every(({ pci, hipaa }) => pci.length + hipaa.length > 0)).toBe(true);
  });

  it('fails when any one of the alarms that it claims is removed, or tells nobody', () => {
    const { unclaimedAlarms } = examine();
    const claimed = idsOf(/::(Composite)?Alarm$/).filter((id) => !unclaimedAlarms.some((one) => one.endsWith(`/${id}`)));
    expect(claimed.length).toBeGreaterThan(28);
    expect(claimed.filter((id) => missing(without(id)).length === 0)).toEqual([]);
    expect(claimed.filter((id) => missing(without(id, (text) => text.replace('"AlarmActions"', '"NoActions"'))).length === 0)).toEqual([]);
  });

  it('fails when any one step of the image is removed', () => {
    const unnoticed = idsOf(/ImageBuilder::Component$/).flatMap((id) => {
      const { Data } = stacks.map(({ template }) => template.Resources[id]).find((one) => one !== undefined)!.Properties;
      // Where the file lies is only known when it is deployed; the document is the same around it.
      const document: string =
        typeof Data === 'string' ? Data : Data['Fn::Join'][1].map((part: unknown) => (typeof part === 'string' ? part : 'somewhere')).join('');
      const { phases, ...rest } = JSON.parse(document) as { phases: { name: string; steps: { name: string }[] }[] };
      const cut = phases.flatMap((phase) => phase.steps.map((step) => ({ phase: phase.name, step: step.name })));
      return cut.filter(({ phase, step }) => {
        const fewer = phases.map((one) => (one.name === phase ? { ...one, steps: one.steps.filter(({ name }) => name !== step) } : one));
        const replaced = without(id, (text) => JSON.stringify({ ...JSON.parse(text), Properties: { Data: JSON.stringify({ ...rest, phases: fewer }) } }));
        return missing(replaced).length === 0;
      });
    });
    expect(unnoticed).toEqual([]);
  });

  it.each([
    ['the schedule of patches', /ImagePipeline$/, (text: string) => text.replace('ENABLED', 'DISABLED'), /^patching/],
    ['the STIG component', /ImageRecipe$/, (text: string) => text.replace('stig-build-linux', 'other'), /^hardening/],
    ['IMDSv2', /LaunchTemplate$/, (text: string) => text.replace('"required"', '"optional"'), /^hardening/],
    ['encryption of the disks', /LaunchTemplate$/, (text: string) => text.replace('"Encrypted":true', '"Encrypted":false'), /^encryption/],
    ['a port that is not configured', /SecurityGroup$/, (text: string) => text.replace('"FromPort":21,', '"FromPort":20,'), /^ports/],
    ['the whole internet as client', /SecurityGroup$/, (text: string) => text.replace('203.0.113.0/24', '0.0.0.0/0'), /^ports/],
    ['the lock of the archive', /S3::Bucket$/, (text: string) => text.replace('ObjectLockConfiguration', 'Nothing'), /^logging/],
    ['the second instance', /AutoScalingGroup$/, (text: string) => text.replace('"MinSize":"2"', '"MinSize":"1"'), /^availability/],
  ])('fails with %s changed', (_what, type, change, expected) => {
    const found = idsOf(type).flatMap((id) => missing(without(id, change)));
    expect(found.some((text) => expected.test(text))).toBe(true);
  });

  it('fails when a test that shows something did not run, or failed', () => {
    for (const { file, name } of tests.slice(0, 40)) {
      if (
        missing(
          undefined,
          tests.filter((one) => one.file !== file),
        ).length === 0
      )
        throw new Error(`${file} is not missed`);
      if (controls.some(({ claims = [] }) => claims.some(({ text }) => text.includes(name))))
        expect(
          missing(
            undefined,
            tests.map((one) => (one.name === name ? { ...one, passed: false } : one)),
          ),
        ).not.toEqual([]);
    }
  });

  it('is one page without anything that could be taken for markup', () => {
    const page = evidencePage(examine());
    expect(page).toContain('Everything that is claimed is shown.');
    expect(page).not.toMatch(/<(Ref|Fn|AWS)/);
    expect(page).toContain('PCI DSS 4.0 4.2.1');
  });
});

it('says what to do where there is no such environment, or no result of tests', () => {
  expect(() => readAssembly(folder, 'production')).toThrow(/no synthesized environment; run npx cdk synth, or choose one of prod, staging/);
  writeFileSync(join(folder, 'other.json'), '{}');
  expect(() => readTests(join(folder, 'other.json'))).toThrow(/is no result of jest/);
});

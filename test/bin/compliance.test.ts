import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Validations } from 'aws-cdk-lib';
import { complianceGuide, environmentsApp, pipelineApp } from '../../bin/compliance/guide';
import { packs } from '../../bin/compliance/packs';
import type { Resources } from '../lib/support';

const { context } = JSON.parse(readFileSync(join(__dirname, '../../cdk.json'), 'utf8'));
const environments = environmentsApp({ context });
const pipeline = pipelineApp({ context });

/** What the packs find that nobody accepted, as `rule path`. */
function findings(app: App): string[] {
  Validations.of(app).addPlugins(...packs(app));
  const silent = jest.spyOn(console, 'error').mockReturnValue();
  try {
    app.synth();
  } finally {
    silent.mockRestore();
  }
  process.exitCode = 0; // set by the synthesis where there are findings; the assertion tells them
  const report = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8'));
  return report.pluginReports.flatMap(({ violations }: Resources) =>
    violations.flatMap(({ ruleName, violatingConstructs }: Resources) =>
      violatingConstructs.map(({ constructPath }: Resources) => `${ruleName} ${constructPath}`),
    ),
  );
}

it('docs/compliance.md lists what is accepted; `npm run docs` writes it anew', () => {
  expect(readFileSync(join(__dirname, '../../docs/compliance.md'), 'utf8')).toBe(complianceGuide(environments, pipeline));
});

describe('AWS Solutions, NIST 800-53, HIPAA and PCI DSS find nothing that nobody accepted', () => {
  it('in staging and prod', () => expect(findings(environments)).toEqual([]));

  it('in the pipeline, and in the environments of it, whose accounts and regions are known', () => expect(findings(pipeline)).toEqual([]));
});

/** moto's server as the tests of certificates need it, and the rotation Lambda that is run against it. */
import { join } from 'node:path';
import { type Moto, startMoto as start } from '../support/moto';

export type { Moto };

/** Bridged to AWS where moto's ACM differs. */
export const startMoto = () => start({ region: 'us-east-1', script: join(__dirname, 'moto_with_export.py') });

/** One run of the rotation Lambda as it is deployed. */
export async function runRotation(environment: Record<string, string | undefined>, event: unknown): Promise<{ outcome?: string }> {
  for (const [name, value] of Object.entries({ METRIC_NAMESPACE: 'CdkFtps', METRIC_SECRET: 'test', POWERTOOLS_LOG_LEVEL: 'SILENT', ...environment }))
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  const { handler } = require('../../../dist/lambda/certificate-rotation/index.js');
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    return await handler(event);
  } finally {
    write.mockRestore();
  }
}

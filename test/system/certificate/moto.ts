/** moto's server for tests of certificates, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it and points the AWS SDK of this process at it. */
export async function startMoto(): Promise<Moto> {
  const python = join(process.env['CDK_FTPS_VENV'] ?? '', 'bin/python');
  const moto: ChildProcess = spawn(python, [join(__dirname, 'moto_with_export.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [port] = await once(moto.stdout!, 'data');
  const url = `http://127.0.0.1:${String(port).trim()}`;
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_ENDPOINT_URL: url });
  return {
    url,
    async stop() {
      const exited = once(moto, 'exit');
      moto.kill('SIGTERM');
      await exited;
    },
  };
}

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

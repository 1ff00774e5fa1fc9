/** moto's server in a process of its own, on a free port; the AWS SDK finds it by AWS_ENDPOINT_URL. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts moto and points the AWS SDK of this process at it. `script` is a Python program that changes moto before it serves it. */
export async function startMoto({
  region = 'eu-central-1',
  script = join(__dirname, 'serve_moto.py'),
}: {
  readonly region?: string;
  readonly script?: string;
} = {}): Promise<Moto> {
  const venv = process.env['CDK_FTPS_VENV'];
  if (!venv) throw new Error('CDK_FTPS_VENV is not set; run the tests by test/system/run.sh');
  const python = join(venv, 'bin/python');
  const moto: ChildProcess = spawn(python, [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONPATH: __dirname }, // what the test has set, and where serve_moto is found
  });
  const ended = once(moto, 'exit').then(([code]) => Promise.reject(new Error(`moto ended with ${code}`)));
  ended.catch(() => {}); // it also ends with the tests
  const [port] = await Promise.race([once(moto.stdout!, 'data'), ended]);
  const url = `http://127.0.0.1:${String(port).trim()}`;
  Object.assign(process.env, { AWS_REGION: region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_ENDPOINT_URL: url });
  return {
    url,
    async stop() {
      if (moto.exitCode !== null || moto.signalCode !== null) return;
      const exited = once(moto, 'exit');
      moto.kill('SIGTERM');
      await exited;
    },
  };
}

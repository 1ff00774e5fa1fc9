/** moto's server in a process of its own, on a free port; the AWS SDK finds it by AWS_ENDPOINT_URL. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

const SERVE = `
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
`;

/** Starts moto and points the AWS SDK of this process at it. `script` is a Python program that serves moto otherwise, and writes its port to standard output. */
export async function startMoto({ region = 'eu-central-1', script }: { readonly region?: string; readonly script?: string } = {}): Promise<Moto> {
  const venv = process.env['CDK_FTPS_VENV'];
  if (!venv) throw new Error('CDK_FTPS_VENV is not set; run the tests by test/system/run.sh');
  const python = join(venv, 'bin/python');
  const moto: ChildProcess = spawn(python, script === undefined ? ['-c', SERVE] : [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: process.env, // what the test has set
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

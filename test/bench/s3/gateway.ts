/** An S3 server over files on tmpfs, versitygw, behind a proxy that makes it as slow to answer as S3 is. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

export const credentials = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench-secret' };
export const BUCKET = 'bench';
const PORT = 9_000;

/** Requests by kind. */
export type Requests = Readonly<Record<string, number>>;

export class Gateway {
  readonly endpoint = `http://127.0.0.1:${PORT}`;

  private constructor(
    /** Where the objects of the bucket lie as files. */
    readonly files: string,
    private readonly versity: ChildProcess,
    private readonly proxy: ChildProcess,
  ) {}

  /** `program`: versitygw, as the tests of the storage build it. */
  static async start(folder: string, program: string): Promise<Gateway> {
    const [buckets, socket] = [join(folder, 'buckets'), join(folder, 's3.sock')];
    mkdirSync(buckets);
    const { AWS_ACCESS_KEY_ID: access, AWS_SECRET_ACCESS_KEY: secret } = credentials;
    const versity = spawn(program, ['--port', socket, '--access', access, '--secret', secret, '--quiet', '--keep-alive', 'posix', buckets], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    while (!existsSync(socket)) {
      if (versity.exitCode !== null) throw new Error('versitygw ended at its start');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const proxy = fork(join(__dirname, 'delaying-proxy.ts'), [`${PORT}`, socket]);
    await once(proxy, 'message');
    const gateway = new Gateway(join(buckets, BUCKET), versity, proxy);
    Object.assign(process.env, credentials);
    const client = new S3Client({ endpoint: gateway.endpoint, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    client.destroy();
    return gateway;
  }

  /** From now on every answer takes so much longer. Milliseconds. */
  async setDelay(delay: number): Promise<void> {
    await this.ask({ delay });
  }

  /** The requests since this was asked last. */
  requests(): Promise<Requests> {
    return this.ask({});
  }

  private async ask(message: { readonly delay?: number }): Promise<Requests> {
    const answer = once(this.proxy, 'message');
    this.proxy.send(message);
    return ((await answer) as [Requests])[0];
  }

  async stop(): Promise<void> {
    this.proxy.kill();
    this.versity.kill('SIGTERM');
    if (this.versity.exitCode === null) await once(this.versity, 'exit');
  }
}

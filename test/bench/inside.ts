/** A place where a bench disturbs nobody, and nobody it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs the bench in namespaces of its own: no port can be taken there, mounts made for a server don't show outside, and every
 * process ends with the bench, however it ends.
 */
export async function inside(command: readonly string[]): Promise<number> {
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const child = spawn('unshare', [...namespaces, 'sh', '-c', 'ip link set lo up && ulimit -n $(ulimit -H -n) && exec "$@"', 'sh', ...command], {
    stdio: 'inherit',
    env: { ...process.env, FTPS_BENCH_INSIDE: '1' },
  });
  // unshare itself ignores what asks it to end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill('SIGKILL'));
  const [code] = await once(child, 'exit');
  return (code as number | null) ?? 1;
}

/** What a stranger costs everybody else: the audit that he fills, and the time that another session waits. Of this server alone. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { attack, attacks, p99, timesUntil } from '../system/robustness/attack';
import { Client } from './client';
import { clientContext, type Measurement } from './figures';

const SECONDS = 5;

export const strangers: Measurement = {
  title: 'attacks without an account',
  figures: [
    {
      id: 'noop-attacked',
      title: `Another session’s \`NOOP\` beside the worst of ${attacks.length} attacks, p99`,
      unit: 'ms',
      better: 'less',
      digits: 1,
      must: { value: 50 },
    },
    {
      id: 'audit-attacked',
      title: 'Audit for each byte of an attacker without an account, the worst',
      unit: 'bytes',
      better: 'less',
      digits: 2,
      must: { value: 2 },
    },
  ],
  applies: ({ name }) => name === 'cdk-ftps',
  fresh: true,
  once: true,
  async measure({ port, folder }, place) {
    const client = await Client.logIn(port, clientContext(place));
    let [slowest, most] = [0, 0];
    try {
      for (const name of attacks) {
        const before = auditBytes(folder);
        const attacking = attack(name, port, SECONDS);
        const times = await timesUntil(attacking, () => client.expect('200', client.send('NOOP')));
        const perByte = (auditBytes(folder) - before) / (await attacking).bytes;
        console.log(
          `  ${name.padEnd(22)} NOOP p99 ${p99(times).toFixed(1)} ms, longest ${times.at(-1)?.toFixed(1)} ms; ${perByte.toFixed(3)} bytes of audit a byte`,
        );
        slowest = Math.max(slowest, p99(times));
        most = Math.max(most, perByte);
      }
      return { 'noop-attacked': slowest, 'audit-attacked': most };
    } finally {
      client.close();
    }
  },
};

/** What the audit has written by now, rotated files included. */
function auditBytes(server: string): number {
  const folder = join(server, 'log');
  return readdirSync(folder)
    .filter((name) => name.startsWith('audit'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/**
 * What `npm audit` finds in the locked dependencies, but for exceptions that have a reason and an end (tools/audit-exceptions.json).
 * usage: npm run audit      exit codes: 0 nothing found · 1 something is not in order · 2 the registry answers no audits, nothing was checked
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The part of npm's answer that is read (npm documentation, "npm-audit", report version 2). */
export interface AuditReport {
  readonly auditReportVersion: 2;
  readonly vulnerabilities: Readonly<Record<string, { readonly via: readonly (string | Advisory)[] }>>;
}

export interface Advisory {
  /** Package that has the vulnerability. */
  readonly name: string;
  readonly title: string;
  /** `https://github.com/advisories/GHSA-…` */
  readonly url: string;
  readonly severity: string;
  readonly range: string;
}

export interface Exception {
  /** `GHSA-…` */
  readonly advisory: string;
  readonly package: string;
  /** Why it does no harm here. */
  readonly reason: string;
  /** Last day on which it holds, `YYYY-MM-DD`. */
  readonly expires: string;
}

/** What stands between this and a release, a line each. */
export function objections(report: AuditReport, exceptions: readonly Exception[], today: string): string[] {
  const all = Object.values(report.vulnerabilities).flatMap(({ via }) => via.filter((one): one is Advisory => typeof one !== 'string'));
  const found = new Map(all.map((one) => [`${idOf(one)} ${one.name}`, one]));
  const excepted = new Map(exceptions.map((one) => [`${one.advisory} ${one.package}`, one]));
  const unexplained = [...found]
    .filter(([key]) => !excepted.has(key))
    .map(([key, { severity, title, range, url }]) => `${key} ${range}: ${severity}, ${title}; update it, or add an exception with its reason (${url})`);
  const doubtful = [...excepted].flatMap(([key, { reason, expires }]) => {
    if (!reason?.trim()) return [`the exception for ${key} has no reason`];
    if (!/^\d{4}-\d{2}-\d{2}$/.test(expires ?? '') || Number.isNaN(Date.parse(expires)))
      return [`the exception for ${key} needs an end: "expires": "YYYY-MM-DD"`];
    if (expires < today) return [`the exception for ${key} ended on ${expires}; look at it again`];
    return found.has(key) ? [] : [`the exception for ${key} is no longer needed; remove it`];
  });
  return [...unexplained, ...doubtful];
}

const idOf = ({ url }: Advisory) => url.slice(url.lastIndexOf('/') + 1);

function main(): number {
  const { stdout, error } = spawnSync('npm', ['audit', '--json'], { cwd: join(__dirname, '..'), encoding: 'utf8', maxBuffer: 64 << 20, timeout: 120_000 });
  const answer = stdout?.trim() ? JSON.parse(stdout) : {};
  if (answer.auditReportVersion !== 2) {
    console.error(`npm audit: not available, nothing was checked (${answer.message ?? answer.error?.summary ?? error?.message ?? 'no report'})`);
    return 2;
  }
  const exceptions = JSON.parse(readFileSync(join(__dirname, 'audit-exceptions.json'), 'utf8')) as Exception[];
  const lines = objections(answer, exceptions, new Date().toISOString().slice(0, 10));
  for (const line of lines) console.error(line);
  if (lines.length === 0) console.log(`npm audit: nothing found, ${exceptions.length} exceptions`);
  return lines.length === 0 ? 0 : 1;
}

if (require.main === module) process.exitCode = main();

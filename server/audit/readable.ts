/** One line of the audit for a person who watches. */
import { printable } from '../text/printable';
import type { AuditLine } from './schema';

const colours = { 1: 32, 2: 33, 3: 31, 4: 35, 5: 35 } as const;

/** `12:00:00  192.0.2.1  demo  upload complete  /a.txt  1,024 bytes`, in colour where asked. */
export function readableLine(line: AuditLine, { colour = false } = {}): string {
  const time = new Date(line.time).toISOString().slice(11, 19);
  const from = 'src_endpoint' in line ? line.src_endpoint.ip : '';
  const who = 'user' in line ? line.user.name : 'actor' in line ? (line.actor?.user.name ?? '') : '';
  const said = printable(line.message);
  const message = colour ? `\u001b[${colours[line.severity_id as 1]}m${said}\u001b[0m` : said;
  const about = details(line).map(printable);
  return [time, printable(from), printable(who), message, ...about].filter((part) => part !== '').join('  ');
}

function details(line: AuditLine): string[] {
  if (line.class_uid === 4008)
    return [
      line.file?.path ?? '',
      line.traffic ? `${line.traffic.bytes.toLocaleString('en')} bytes` : '',
      line.duration !== undefined ? `${line.duration} ms` : '',
      hash(line.file?.hashes?.[0]?.value),
    ];
  return [];
}

function hash(value: string | undefined): string {
  return value ? `sha256 ${value.slice(0, 16)}…` : '';
}

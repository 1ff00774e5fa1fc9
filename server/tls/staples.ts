/** Keeps a fresh answer of the authority for every certificate that is served, in the background. */
import type { X509Certificate } from 'node:crypto';
import type { Audit } from '../audit/event';
import { askOcsp, type OcspAnswer, ocspAddress } from './ocsp';

/** A certificate and the one that issued it. */
export interface Issued {
  readonly certificate: X509Certificate;
  readonly issuer: X509Certificate;
}

const RETRY_MS = 5 * 60_000;
const SHORTEST_MS = 60_000;
/** The longest that a timer of Node takes is 24 days; an answer is asked for anew at least once a day. */
const LONGEST_MS = 86_400_000;

export class Staples {
  private readonly answers = new Map<string, OcspAnswer>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly down = new Set<string>();

  constructor(private readonly audit: Audit) {}

  /** From now on these certificates are asked about, and no others. Those whose authority answers no questions are left out. */
  follow(served: readonly Issued[]): void {
    const wanted = new Map(served.map((one) => [one.certificate.fingerprint256, one]));
    for (const [fingerprint, timer] of this.timers) {
      if (wanted.has(fingerprint)) continue;
      clearTimeout(timer);
      this.timers.delete(fingerprint);
      this.answers.delete(fingerprint);
      this.down.delete(fingerprint);
    }
    for (const [fingerprint, one] of wanted) if (!this.timers.has(fingerprint) && ocspAddress(one.certificate)) this.schedule(fingerprint, one, 0);
  }

  /** What to staple to this certificate now. Undefined where there is nothing good and fresh. */
  of(certificate: X509Certificate): Buffer | undefined {
    const answer = this.answers.get(certificate.fingerprint256);
    return answer && answer.status === 'good' && answer.until.getTime() > Date.now() ? answer.der : undefined;
  }

  close(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  private schedule(fingerprint: string, one: Issued, milliseconds: number): void {
    this.timers.set(fingerprint, setTimeout(() => void this.ask(fingerprint, one), milliseconds).unref());
  }

  private async ask(fingerprint: string, one: Issued): Promise<void> {
    let next = RETRY_MS;
    let trouble: string | undefined;
    try {
      const answer = await askOcsp(ocspAddress(one.certificate)!, one.certificate, one.issuer);
      if (!this.timers.has(fingerprint)) return;
      this.answers.set(fingerprint, answer);
      if (answer.status === 'good') next = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (answer.until.getTime() - Date.now()) / 2));
      else trouble = `the authority calls the certificate ${answer.status}`;
    } catch (error) {
      trouble = (error as Error).message;
    }
    if (!this.timers.has(fingerprint)) return;
    this.report(fingerprint, one, trouble);
    // A tenth of jitter, so that a fleet does not ask all at once.
    this.schedule(fingerprint, one, next * (0.9 + Math.random() * 0.2));
  }

  /** Says so once when the answers fail, and once when they come again. */
  private report(fingerprint: string, { certificate }: Issued, trouble: string | undefined): void {
    if (this.down.has(fingerprint) === (trouble !== undefined)) return;
    if (trouble === undefined) this.down.delete(fingerprint);
    else this.down.add(fingerprint);
    this.audit.record({
      kind: 'health',
      part: 'ocsp',
      state: trouble === undefined ? 'up' : 'down',
      detail: `certificate ${certificate.serialNumber}${trouble === undefined ? '' : `: ${trouble}`}`,
    });
  }
}

/** The authorities whose certificates a directory server or an issuer of tokens may have: in the settings, or in a file that is read again when it changes. */
import { X509Certificate } from 'node:crypto';
import type { FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Audit } from '../audit/event';
import { watchFile } from './watch-file';

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export class Authorities {
  private watcher: FSWatcher | undefined;
  /** Called when others are trusted than before. */
  onChange: () => void = () => {};

  private constructor(
    /** In PEM; undefined means the well-known ones. */
    public current: string | undefined,
    private readonly what: string,
    private readonly file?: string,
  ) {}

  /** `ca` is PEM or the name of a file; `key` says where in the settings, `what` whose they are. Throws an Error where the file is no PEM. Later mistakes leave the authorities as they were. */
  static async open(ca: string | undefined, key: string, what: string, audit: Audit): Promise<Authorities> {
    if (ca === undefined || ca.includes('-----BEGIN CERTIFICATE-----')) return new Authorities(ca, what);
    const opened = new Authorities(
      await read(ca).catch((error: Error) => {
        throw new Error(`${key}.ca: ${error.message}`);
      }),
      what,
      ca,
    );
    opened.watcher = watchFile(ca, () => void opened.reload(audit));
    return opened;
  }

  close(): void {
    this.watcher?.close();
  }

  private async reload(audit: Audit): Promise<void> {
    const { what } = this;
    try {
      const text = await read(this.file!);
      if (text === this.current) return;
      this.current = text;
      this.onChange();
      audit.record({ kind: 'configuration', change: 'reloaded', what, detail: `${text.match(pem)!.length} certificates` });
    } catch (error) {
      audit.record({ kind: 'configuration', change: 'refused', what, detail: (error as Error).message });
    }
  }
}

async function read(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file} can't be read (${error.code})`);
  });
  const certificates = text.match(pem);
  if (!certificates) throw new Error(`${file} has no certificate in PEM`);
  certificates.forEach((certificate, index) => {
    try {
      new X509Certificate(certificate);
    } catch {
      throw new Error(`${file}: certificate ${index + 1} of ${certificates.length} can't be read`);
    }
  });
  return certificates.join('\n'); // files put together by hand may lack an end of line between two
}

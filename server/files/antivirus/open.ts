/** The scanner that the configuration names; none where scanning is off. */
import type { ServerConfig } from '../../config';
import { ClamdScanner, type ScannerReport } from './clamd';
import type { Scanner } from './scanner';

export function openScanner(config: ServerConfig['antivirus'], report: ScannerReport): Scanner | undefined {
  return config.kind === 'off' ? undefined : new ClamdScanner(config, report);
}

/** The whole examination of HTTPS on one server, as a browser and a program meet it. */
import type { Target } from '../control-connection';
import { tcp } from '../control-connection';
import { type Finding, ok, problem, warning } from '../finding';
import type { Credentials } from '../inside';
import { tlsFindings } from '../outside';
import type { Trust } from '../trust';
import { HttpsClient } from './client';
import { insideFindings } from './inside';
import { apiFindings, pageFindings } from './outside';

export interface HttpsExamination {
  readonly host: string;
  readonly port: number;
  /** Milliseconds that any single step may take. */
  readonly timeout: number;
  readonly trust: Trust;
  readonly credentials?: Credentials;
  /** Told what is looked at next. */
  readonly onStep: (step: string) => void;
}

export async function examineHttps({ host, port, timeout, trust, credentials, onStep }: HttpsExamination): Promise<Finding[]> {
  const target: Target = { host, port, mode: 'https', timeout };
  onStep('the port of HTTPS');
  try {
    (await tcp(host, port, timeout)).destroy();
  } catch (error) {
    return [
      problem('https', `port ${port} can't be reached (${(error as Error).message})`, `Open ${port}/tcp in the firewall, and see that a server listens there.`),
    ];
  }
  onStep('TLS on the port of HTTPS');
  const findings = [ok('https', `port ${port} is open`), ...(await tlsFindings(target, trust))];
  if (!findings.some(({ check, level }) => check === 'tls' && level === 'ok')) return findings;
  const client = new HttpsClient(target, trust);
  try {
    onStep('the page');
    findings.push(...(await pageFindings(client)));
    onStep('the API');
    const api = await apiFindings(client);
    findings.push(...api.findings);
    if (credentials && api.hasApi) {
      onStep('a sign-in, and transfers');
      findings.push(...(await insideFindings(client, credentials)));
    } else if (credentials) findings.push(warning('https-login', 'no sign-in is tried: there is no API to do so'));
    return findings;
  } catch (error) {
    return [
      ...findings,
      problem('https', `port ${port} does not answer as HTTP does: ${(error as Error).message}`, 'See which server listens there, and look into its log.'),
    ];
  } finally {
    client.close();
  }
}

/** AS2 on one server, as a partner meets it before the first message: its port, TLS, and whether somebody takes messages there. No message is sent. */
import { type Target, tcp } from './control-connection';
import { type Finding, ok, problem, warning } from './finding';
import { type Answer, HttpsClient } from './https/client';
import { tlsFindings } from './outside';
import type { Trust } from './trust';

export interface As2Examination {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Milliseconds that any single step may take. */
  readonly timeout: number;
  readonly trust: Trust;
  /** Told what is looked at next. */
  readonly onStep: (step: string) => void;
}

const CHECK = 'as2';

export async function examineAs2({ host, port, path, timeout, trust, onStep }: As2Examination): Promise<Finding[]> {
  const target: Target = { host, port, mode: 'https', timeout };
  onStep('the port of AS2');
  try {
    (await tcp(host, port, timeout)).destroy();
  } catch (error) {
    return [
      problem(CHECK, `port ${port} can't be reached (${(error as Error).message})`, `Open ${port}/tcp in the firewall, and see that a server listens there.`),
    ];
  }
  onStep('TLS on the port of AS2');
  const findings = [ok(CHECK, `port ${port} is open`), ...(await tlsFindings(target, trust))];
  if (!findings.some(({ check, level }) => check === 'tls' && level === 'ok')) return findings;
  const client = new HttpsClient(target, trust);
  try {
    onStep('the address of AS2');
    findings.push(addressFinding(path, await client.ask('GET', path)));
  } catch (error) {
    findings.push(
      problem(CHECK, `${path} does not answer as HTTP does: ${(error as Error).message}`, 'See which server listens there, and look into its log.'),
    );
  } finally {
    client.close();
  }
  return findings;
}

/** Messages are sent by POST (RFC 4130, section 5.2.1), so that a GET is refused, or answered with words for people. */
export function addressFinding(path: string, { status, headers }: Pick<Answer, 'status' | 'headers'>): Finding {
  if (status === 405 || /\bPOST\b/.test(headers['allow'] ?? '')) return ok(CHECK, `messages are taken at ${path}`);
  if (status === 404 || status === 410)
    return problem(CHECK, `there is nothing at ${path} (${status})`, 'Ask for the address as its owner has it, with its path.');
  if (status === 401 || status === 407)
    return warning(CHECK, `${path} asks for a password (${status})`, 'Agree on going without it where one of both sides gives none; messages are signed.');
  if (status === 403)
    return warning(
      CHECK,
      `${path} lets us not in (403)`,
      'Ask whether its owner takes messages from known addresses alone, or wants a certificate of ours in TLS. Where messages are taken all the same, it refuses nothing but to be looked at.',
    );
  if (status >= 300 && status < 400)
    return warning(
      CHECK,
      `${path} leads elsewhere (${status} ${headers['location'] ?? ''})`,
      'Give partners the last address: senders of AS2 follow no redirects.',
    );
  if (status >= 500)
    return warning(CHECK, `${path} answers ${status}`, 'Some servers of AS2 answer so where no message came; if messages fail too, look into its log.');
  return ok(CHECK, `somebody answers at ${path} (${status}); whether messages are taken, the first one shows`);
}

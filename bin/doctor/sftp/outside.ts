/** What can be seen of a server of SSH without an account. */
import { type Finding, ok, problem, warning } from '../finding';
import { agreedWithOpenSsh10, among, isPostQuantum, openToTerrapin, outdated, STRICT, weaker } from './algorithms';
import type { Offer, SshTarget } from './offer';
import { methodsFor, type Trusted } from './ssh2-client';

export function identificationFinding({ identification }: Offer, { port }: SshTarget): Finding {
  return identification.startsWith('SSH-1.99')
    ? problem('sftp', `port ${port} speaks SSH version 1 as well (${identification})`, 'Switch version 1 off; sshd: Protocol 2.')
    : ok('sftp', `port ${port} is open, and ${identification} answers`);
}

/** What a partner's client of today gets. */
export function agreementFindings(offer: Offer): Finding[] {
  const { keyExchange, hostKey, cipher, mac } = agreedWithOpenSsh10(offer);
  const missing = [
    keyExchange ? '' : 'key exchange',
    hostKey ? '' : 'type of host key',
    cipher ? '' : 'cipher',
    cipher && !mac && !isWhole(cipher) ? 'MAC' : '',
  ].filter(Boolean);
  if (missing.length > 0)
    return [
      problem(
        'ssh-agreement',
        `OpenSSH 10 and the server have no ${missing.join(', no ')} in common, so that partners can't connect`,
        'Update the server, or have it offer curve25519-sha256, aes256-gcm@openssh.com and an Ed25519 or RSA key with rsa-sha2-512.',
      ),
    ];
  return [
    ok('ssh-agreement', `OpenSSH 10 agrees with it on ${[keyExchange, hostKey, cipher, mac].filter(Boolean).join(', ')}`),
    isPostQuantum(keyExchange!)
      ? ok('ssh-post-quantum', 'what is recorded today stays unread by quantum computers')
      : warning(
          'ssh-post-quantum',
          'the key exchange is not post-quantum: OpenSSH 10.1 and later warn their users at each connection ("store now, decrypt later")',
          'Offer mlkem768x25519-sha256: OpenSSH 9.9 and later have it, and this server with Node.js 24.7 and later, but for its policy fips.',
        ),
  ];
}

const isWhole = (cipher: string) => /gcm|poly1305/.test(cipher);

export function strictFinding(offer: Offer): Finding {
  if (offer.keyExchanges.includes(STRICT)) return ok('ssh-strict', 'strict key exchange is offered, which ends Terrapin (CVE-2023-48795)');
  const advice = 'Update the server: OpenSSH has strict key exchange from 9.6 on. Until then, offer neither chacha20-poly1305 nor CBC with -etm MACs.';
  return openToTerrapin(offer)
    ? problem('ssh-strict', 'strict key exchange is not offered, and somebody in between can take messages out unseen (Terrapin, CVE-2023-48795)', advice)
    : warning('ssh-strict', 'strict key exchange is not offered; what is offered withstands Terrapin (CVE-2023-48795) without it', advice);
}

export function outdatedFindings(offer: Offer): Finding[] {
  const judged = (judgements: typeof outdated, find: typeof problem, words: string) =>
    judgements.flatMap((judgement) => {
      const names = among(offer, judgement);
      return names.length > 0
        ? [find('ssh-outdated', `${judgement.words} ${words} (${names.join(', ')})`, `Take them away; sshd: ${judgement.setting} -${names.join(',')}.`)]
        : [];
    });
  const problems = judged(outdated, problem, 'are offered');
  return [
    ...(problems.length > 0
      ? problems
      : [ok('ssh-outdated', 'no SHA-1 signature or key exchange, CBC, 3DES, RC4, MD5 or DSA is offered, and nothing without encryption')]),
    ...judged(weaker, warning, 'is offered').map((finding) => ({ ...finding, advice: finding.advice!.replace('Compression -zlib', 'Compression delayed') })),
  ];
}

/** A name that no server has. */
const NOBODY = 'ftps-doctor-nobody';

/** How a name that is not there may log in: what is asked is what there is, nothing is tried. */
export async function unknownNameFindings(offer: Offer, target: SshTarget, trusted: Trusted): Promise<{ findings: Finding[]; methods?: readonly string[] }> {
  let methods: Awaited<ReturnType<typeof methodsFor>>;
  try {
    methods = await methodsFor(NOBODY, offer, target, trusted);
  } catch (error) {
    return {
      findings: [
        warning(
          'ssh-methods',
          `what one may log in by can't be seen: ${(error as Error).message}`,
          'See that the server offers what the clients of today agree on.',
        ),
      ],
    };
  }
  if (methods === 'entered')
    return {
      findings: [problem('ssh-methods', `${NOBODY} is let in without a password or a key`, 'Refuse the method "none"; sshd: PermitEmptyPasswords no.')],
    };
  const findings: Finding[] = [ok('ssh-methods', `a name that is not there may try ${methods.join(', ') || 'nothing'}`)];
  if (methods.includes('hostbased'))
    findings.push(warning('ssh-methods', 'machines may log in for their users (hostbased)', 'Switch it off; sshd: HostbasedAuthentication no.'));
  return { findings, methods };
}

/** Whether one can tell from the answer that a name is there. */
export function sameAnswerFinding(user: string, unknown: readonly string[], known: readonly string[]): Finding {
  const sorted = (methods: readonly string[]) => [...methods].sort().join(', ');
  return sorted(unknown) === sorted(known)
    ? ok('ssh-unknown-name', `${user} is offered the same as a name that is not there`)
    : warning(
        'ssh-unknown-name',
        `${user} is offered ${sorted(known)}, and a name that is not there ${sorted(unknown)}: so anybody can find out which names there are`,
        'Offer the same to all; sshd: AuthenticationMethods outside of Match blocks.',
      );
}

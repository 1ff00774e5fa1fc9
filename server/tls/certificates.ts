/** The certificates that are served: loaded, checked, replaced while sessions go on, chosen by the name a client asks for. */
import { X509Certificate } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { z } from 'zod';
import type { Audit } from '../audit/event';
import { certificateProblems, certificatesIn, daysLeftOf, type ServerConfig } from '../config';
import { isObject, readObject } from '../secrets/object';
import { readSecret } from '../secrets/secret';
import type { ClientHello } from './client-hello';
import { chosenKind, type KeyKind } from './key-kind';
import { contextOptions, type TlsVersion, tlsPolicies } from './policy';
import { type Issued, Staples } from './staples';

/** One certificate with its key, as PEM. */
export interface KeyPair {
  /** The certificate, then its chain. */
  readonly certificate: string;
  readonly key: string;
}

/** Certificates for the same names (RSA beside ECDSA), and a context that has them all for each newest version that a listener may allow. */
interface Site {
  readonly names: readonly string[];
  readonly contexts: Readonly<Record<TlsVersion, SecureContext>>;
  readonly leaves: ReadonlyMap<KeyKind, X509Certificate>;
}

/** What is served at one time: a site for every name, and one for clients that name nobody. */
interface Served {
  readonly fallback: Site;
  readonly byName: ReadonlyMap<string, Site>;
  /** Everything that was read, to see whether something changed. */
  readonly pairs: string;
  readonly authorities: string;
  readonly issued: readonly Issued[];
}

/** What one handshake uses. */
export interface Serving {
  readonly context: SecureContext;
  /** The authority's word that the certificate stands, for a client that asks for it. */
  readonly staple?: Buffer;
}

export class ServerCertificates {
  private timers: NodeJS.Timeout[] = [];
  private watchers: FSWatcher[] = [];
  private readonly staples: Staples;

  private constructor(
    private served: Served,
    private pairs: readonly KeyPair[],
    private readonly tls: ServerConfig['tls'],
    private readonly audit: Audit,
  ) {
    this.staples = new Staples(audit);
  }

  /** Loads everything. Throws an Error that says which certificate is wrong and how; a server without one doesn't start. */
  static async open(tls: ServerConfig['tls'], audit: Audit): Promise<ServerCertificates> {
    const pairs = await loadPairs(tls);
    const opened = new ServerCertificates(await serve(pairs, tls), pairs, tls, audit);
    opened.report('loaded');
    if (tls.ocspStapling) opened.staples.follow(opened.served.issued);
    opened.watch();
    return opened;
  }

  /** Looks at files and secrets again. What is bad is refused and reported, and the last good stays. */
  async reload(): Promise<boolean> {
    try {
      const pairs = await loadPairs(this.tls);
      const before = this.served;
      this.served = await serve(pairs, this.tls);
      this.pairs = pairs;
      if (this.served.pairs !== before.pairs) this.report('replaced');
      if (this.served.authorities !== before.authorities) this.audit.record({ kind: 'configuration', change: 'reloaded', what: 'client authorities' });
      if (this.tls.ocspStapling) this.staples.follow(this.served.issued);
      return true;
    } catch (error) {
      this.audit.record({ kind: 'certificate', change: 'refused', reason: (error as Error).message });
      return false;
    }
  }

  /** What a handshake that begins now uses, as this client asks for it. */
  handshake(hello: ClientHello | undefined, maxVersion: TlsVersion): Serving {
    const { fallback, byName } = this.served;
    const name = hello?.serverName?.toLowerCase();
    const site = (name === undefined ? undefined : (byName.get(name) ?? byName.get(name.replace(/^[^.]+/, '*')))) ?? fallback;
    const context = site.contexts[maxVersion];
    if (!hello?.wantsStatus) return { context };
    const leaf = site.leaves.get(chosenKind(hello, maxVersion, [...site.leaves.keys()], tlsPolicies[this.tls.policy]));
    return { context, staple: leaf && this.staples.of(leaf) };
  }

  /** What is served now. */
  get described(): ReturnType<typeof describe>[] {
    return this.pairs.map(describe);
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    for (const watcher of this.watchers) watcher.close();
    this.staples.close();
  }

  private report(change: 'loaded' | 'replaced' | 'served'): void {
    for (const pair of this.pairs) this.audit.record({ kind: 'certificate', change, ...describe(pair) });
  }

  /** Files are watched by their folders, because they are replaced rather than written into; secrets are asked for in turns. */
  private watch(): void {
    this.timers.push(setInterval(() => this.report('served'), REPORT_MS).unref());
    let settling: NodeJS.Timeout | undefined;
    const soon = () => {
      clearTimeout(settling);
      settling = setTimeout(() => void this.reload(), SETTLE_MS).unref();
    };
    const files = [
      ...this.tls.certificates.flatMap((source) => (source.kind === 'file' ? [source.certificate, source.key] : [])),
      ...[this.tls.clientCa, this.tls.clientCrl].filter((file) => file !== undefined && !isObject(file)),
    ].filter((file) => file !== undefined);
    for (const folder of new Set(files.map((file) => dirname(file)))) {
      const names = new Set(files.filter((file) => dirname(file) === folder).map((file) => basename(file)));
      this.watchers.push(
        watch(folder, { persistent: false }, (_event, name) => {
          // A folder named `..data` is how Kubernetes replaces all files of a secret at once.
          if (name === null || names.has(name) || name.startsWith('..')) soon();
        }),
      );
    }
    const polled = this.tls.certificates.flatMap((source) => (source.kind === 'secret' ? [source.pollSeconds] : []));
    if ([this.tls.clientCa, this.tls.clientCrl].some((location) => location !== undefined && isObject(location))) polled.push(this.tls.clientPollSeconds);
    for (const seconds of polled) {
      // A tenth of jitter, so that a fleet does not ask all at once.
      const milliseconds = seconds * 1000 * (0.9 + Math.random() * 0.2);
      this.timers.push(setInterval(() => void this.reload(), milliseconds).unref());
    }
  }
}

/** A file is written in several steps; it is read when it has been quiet for that long. */
const SETTLE_MS = 100;

/** How often the days that the served certificates have left are reported. */
const REPORT_MS = 3_600_000;

async function loadPairs(tls: ServerConfig['tls']): Promise<KeyPair[]> {
  return Promise.all(
    tls.certificates.map(async (source) => {
      if (source.kind === 'file') return { certificate: await text(source.certificate), key: await text(source.key) };
      const { certificate, chain, privateKey } = certificateSecret.parse(await readSecret(source.secretId));
      return { certificate: `${certificate.trim()}\n${chain}`, key: privateKey };
    }),
  );
}

/** What the rotation Lambda writes. */
const certificateSecret = z.object({ certificate: z.string().min(1), chain: z.string(), privateKey: z.string().min(1) });

async function text(file: string): Promise<string> {
  if (isObject(file)) return readObject(file);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`${file}: can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Makes the contexts. The first certificate is for clients that name nobody. Throws an Error that says what is wrong. */
async function serve(pairs: readonly KeyPair[], tls: ServerConfig['tls']): Promise<Served> {
  const ca = tls.clientCa ? await authoritiesIn(tls.clientCa) : undefined;
  const crl = tls.clientCrl ? await revocationsIn(tls.clientCrl) : undefined;
  const groups = new Map<string, KeyPair[]>();
  for (const [index, pair] of pairs.entries()) {
    check(pair, tls.certificates[index]!, tls.policy);
    const names = namesOf(pair).join(' ');
    groups.set(names, [...(groups.get(names) ?? []), pair]);
  }
  const sites = [...groups].map(([names, group]): Site => {
    const contextUpTo = (maxVersion: TlsVersion) =>
      createSecureContext({
        ...contextOptions(tlsPolicies[tls.policy], maxVersion),
        cert: group.map(({ certificate }) => certificate),
        key: group.map(({ key }) => key),
        ...(ca ? { ca } : {}),
        ...(crl ? { crl } : {}),
      });
    return {
      names: names.split(' ').filter(Boolean),
      contexts: { 'TLSv1.2': contextUpTo('TLSv1.2'), 'TLSv1.3': contextUpTo('TLSv1.3') },
      leaves: new Map(group.map(({ certificate }) => new X509Certificate(certificate)).map((leaf) => [kindOf(leaf), leaf])),
    };
  });
  const byName = new Map<string, Site>();
  if (sites.length > 1) for (const site of sites) for (const name of site.names) if (!byName.has(name)) byName.set(name, site);
  const issued = pairs.flatMap((pair): Issued[] => {
    const [certificate, issuer] = certificatesIn(pair.certificate);
    return certificate && issuer ? [{ certificate, issuer }] : [];
  });
  return { fallback: sites[0]!, byName, pairs: pairs.map(({ certificate }) => certificate).join(), authorities: `${ca} ${crl}`, issued };
}

async function authoritiesIn(file: string): Promise<string> {
  const pem = await text(file);
  if (certificatesIn(pem).length === 0) throw new Error(`tls.clientCa: ${file} has no PEM certificate`);
  return pem;
}

async function revocationsIn(file: string): Promise<string[]> {
  const lists = (await text(file)).match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g);
  if (!lists) throw new Error(`tls.clientCrl: ${file} has no PEM revocation list`);
  return lists;
}

function kindOf({ publicKey }: X509Certificate): KeyKind {
  const type = publicKey.asymmetricKeyType;
  return type === 'ec' || type === 'ed25519' ? type : 'rsa';
}

/** A chain may be left out where clients know the authority; everything else must be in order. */
function check(pair: KeyPair, source: ServerConfig['tls']['certificates'][number], policy: ServerConfig['tls']['policy']): void {
  const [leaf, ...chain] = certificatesIn(pair.certificate);
  const material = { certificate: leaf?.toString() ?? '', chain: chain.join('\n'), privateKey: pair.key };
  const problems = [
    ...certificateProblems(material, { completeChain: false }),
    ...(policy === 'fips' && leaf && kindOf(leaf) === 'ed25519'
      ? ['its key is Ed25519, which tls.policy "fips" does not take, so that no client would get through a handshake; take ECDSA or RSA']
      : []),
  ];
  if (problems.length > 0)
    throw new Error(
      `certificate ${[leaf?.serialNumber, `in ${source.kind === 'file' ? source.certificate : source.secretId}`].filter(Boolean).join(' ')}: ${problems.join('; ')}`,
    );
}

function namesOf({ certificate }: KeyPair): string[] {
  const names = new X509Certificate(certificate).subjectAltName ?? '';
  return [...names.matchAll(/DNS:([^,\s]+)/g)].map((match) => match[1]!.toLowerCase()).sort();
}

function describe(pair: KeyPair) {
  const certificate = new X509Certificate(pair.certificate);
  const { subject, serialNumber, validTo } = certificate;
  const daysLeft = Math.floor(daysLeftOf(certificate) * 100) / 100;
  return { subject: subject.replaceAll('\n', ', '), serialNumber, notAfter: new Date(validTo).toISOString(), daysLeft };
}

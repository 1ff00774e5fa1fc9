/**
 * `npm run bench`: this server beside vsftpd, ProFTPD, pure-ftpd, pyftpdlib, and SFTPGo where it is installed. Every figure is
 * measured against every server in turn, three rounds, medians. Needs Debian and root: everything runs in a network namespace
 * of its own, with files on tmpfs. `npm run bench -- ssh`: its SFTP beside OpenSSH's sshd and ProFTPD's mod_sftp; `-- https`: its HTTPS beside nginx.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Measurement, measurements } from './figures';
import { httpsMeasurements } from './https/figures';
import { httpsPeers, unpackNginx, withoutHash } from './https/peers';
import { inside } from './inside';
import { proftpd, pureFtpd, unpackPeers, vsftpd } from './peers/debian';
import { ours, oursBuilt, oursByNode, oursEqual } from './peers/ours';
import type { Peer } from './peers/peer';
import { preparePython, pyftpdlib } from './peers/pyftpdlib';
import { sftpgo } from './peers/sftpgo';
import { type Column, chart, type Report, Results, replaceFigures, table } from './report';
import { type Server, startServer } from './server';
import { sshMeasurements } from './ssh/figures';
import { sshPeers, unpackOpenSsh } from './ssh/peers';
import { strangers } from './strangers';
import { full, makeWorkplace, quick, type Workplace, type WorkplaceParts } from './workplace';

const HELP = `npm run bench -- [ssh | https] [options]
  ssh                 SFTP beside OpenSSH's sshd and ProFTPD's mod_sftp, instead of FTPS
  https               HTTPS beside nginx with WebDAV's PUT, instead of FTPS
  --quick             smaller files, one round; under five minutes
  --rounds <n>        rounds (default: 3)
  --only <ids>        figures by id, for example down,up,logins
  --servers <names>   servers by name, for example cdk-ftps,vsftpd
  --node <program>    another Node.js, under which this server is measured as well
  --build <name=path> another build of this server (its ftps.js), in the same run (FTPS and SFTP); may be given several times
  --write             put the figures into docs/performance.md and docs/performance.svg (a full run does so by itself)
  --no-write          never`;

const docs = join(__dirname, '../../docs');

/** What is measured of one protocol. */
interface Wing {
  /** Which table of the documentation is its own. */
  readonly table: 'all' | 'ssh' | 'https';
  readonly peers: readonly Peer[];
  readonly measurements: readonly Measurement[];
  /** The picture of the ratios, where there is one. */
  readonly chart?: string;
  /** Installs what servers and clients need. */
  prepare(cache: string): WorkplaceParts;
  conditions(place: Workplace): string[];
}

const ftps = (node: string | undefined, builds: readonly string[]): Wing => ({
  table: 'all',
  peers: [ours, oursEqual, ...(node ? [oursByNode(node)] : []), ...builds.map(oursBuilt), vsftpd, proftpd, pureFtpd, pyftpdlib, sftpgo],
  measurements: [...measurements, strangers],
  chart: 'performance.svg',
  prepare: (cache) => ({ packages: unpackPeers(cache), python: preparePython(cache) }),
  conditions: ({ hash, ownHash, scale }) => [
    'cdk-ftps is this server on its defaults: SHA-256 of every upload, its own password hash, one worker a processor. “Equal”: no upload hashed, a password hash as cheap as the others’, and none remembered.',
    `Every server has the same RSA-2048 certificate and TLS 1.3 with AES-256-GCM; large file ${mib(scale.bigFile)}, four at once ${mib(scale.parallelFile)} each, ${scale.smallFiles} small files.`,
    `A password hash costs ${hash.cryptMilliseconds.toFixed(1)} ms in the others (SHA-512 crypt, 5,000 rounds), ${hash.phcMilliseconds.toFixed(1)} ms where all is equal (PBKDF2-HMAC-SHA-256, ${hash.iterations.toLocaleString('en')} iterations) and ${ownHash.milliseconds.toFixed(0)} ms on the defaults (scrypt, once an hour); where a figure says honest hash, as much in the others.`,
  ],
});

const ssh = (node: string | undefined, builds: readonly string[]): Wing => ({
  table: 'ssh',
  peers: sshPeers(node, builds),
  measurements: sshMeasurements,
  prepare: (cache) => {
    const packages = unpackPeers(cache);
    unpackOpenSsh(packages);
    return { packages, python: '' };
  },
  conditions: ({ hash, scale }) => [
    `OpenSSH's own clients; curve25519-sha256, an Ed25519 host key, and AES-256-GCM where a figure says nothing else; large file ${mib(scale.bigFile)}, four at once ${mib(scale.parallelFile)} each, ${scale.smallFiles} small files.`,
    `A password hash costs ${hash.cryptMilliseconds.toFixed(1)} ms in the others (SHA-512 crypt, 5,000 rounds) and ${hash.phcMilliseconds.toFixed(1)} ms here (PBKDF2-HMAC-SHA-256, ${hash.iterations.toLocaleString('en')} iterations).`,
  ],
});

const https = (node: string | undefined): Wing => ({
  table: 'https',
  peers: httpsPeers(node),
  measurements: httpsMeasurements,
  prepare: (cache) => {
    const packages = unpackPeers(cache);
    unpackNginx(packages);
    return { packages, python: '' };
  },
  conditions: ({ hash, scale }) => [
    `curl, HTTP/1.1 over TLS 1.3 with AES-256-GCM and an RSA-2048 certificate; large file ${mib(scale.bigFile)}, ${scale.smallFiles} small files, asked for several times. nginx sends by sendfile, writes PUT to a temporary file and renames it, and asks nobody who they are but where a password is measured; here every request is of a sign-in, looked at, counted and in the audit, and every upload hashed.`,
    `A password hash costs ${hash.cryptMilliseconds.toFixed(1)} ms in nginx (SHA-512 crypt, 5,000 rounds) and ${hash.phcMilliseconds.toFixed(1)} ms here (PBKDF2-HMAC-SHA-256, ${hash.iterations.toLocaleString('en')} iterations); none is remembered.`,
  ],
});

const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;

async function main(): Promise<void> {
  const { values: options, positionals } = parseArgs({
    allowNegative: true,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string' },
      servers: { type: 'string' },
      node: { type: 'string' },
      build: { type: 'string', multiple: true, default: [] },
      write: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (options.help) {
    console.log(HELP);
    return;
  }
  const wing =
    positionals[0] === 'ssh' ? ssh(options.node, options.build) : positionals[0] === 'https' ? https(options.node) : ftps(options.node, options.build);
  if (process.getuid?.() !== 0 || process.platform !== 'linux')
    throw new Error('the bench needs root on Debian: it makes accounts, control groups and a network namespace');
  const cache = process.env['CDK_FTPS_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'cdk-ftps');
  if (process.env['FTPS_BENCH_INSIDE'] === undefined) {
    mkdirSync(cache, { recursive: true });
    wing.prepare(cache);
    process.exitCode = await inside([process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
    return;
  }
  const scale = { ...(options.quick ? quick : full), ...(options.rounds ? { rounds: Number(options.rounds) } : {}) };
  const chosen = wing.measurements.filter(({ figures }) => !options.only || figures.some(({ id }) => options.only!.split(',').includes(id)));
  const place = await makeWorkplace(scale, { ...wing.prepare(cache), honestHash: chosen.some(({ honestHash }) => honestHash) });
  try {
    const columns: (Column & { peer: Peer })[] = [];
    for (const peer of wing.peers) {
      if (options.servers && !options.servers.split(',').includes(peer.name)) continue;
      const version = peer.version(place);
      if (version === undefined) console.log(`${peer.name} is not installed and is left out`);
      else
        columns.push({
          peer,
          name: peer.name,
          version,
          role: peer === wing.peers[0] ? 'ours' : peer === oursEqual || peer === withoutHash ? 'equal' : peer.variant ? 'variant' : 'peer',
        });
    }
    const results = await measureAll(
      columns.map(({ peer }) => peer),
      chosen,
      place,
    );
    const report: Report = { figures: chosen.flatMap(({ figures }) => figures), columns, results, conditions: conditions(wing, place, columns, options.quick) };
    const figures = table(report);
    console.log(`\n${figures}`);
    const complete = !options.only && !options.servers && options.build.length === 0;
    if (options.write ?? (complete && !options.quick)) {
      replaceFigures(join(docs, 'performance.md'), figures, wing.table);
      if (wing.chart) writeFileSync(join(docs, wing.chart), chart(report));
      console.log(`\nwritten: docs/performance.md${wing.chart ? ` docs/${wing.chart}` : ''}`);
    }
  } finally {
    rmSync(place.folder, { recursive: true, force: true });
  }
}

async function measureAll(peers: readonly Peer[], chosen: typeof measurements, place: Workplace): Promise<Results> {
  const results = new Results();
  const running = new Map<Peer, Server>();
  const get = async (peer: Peer) => {
    const server = running.get(peer) ?? (await startServer(peer, place));
    running.set(peer, server);
    return server;
  };
  try {
    for (let round = 1; round <= place.scale.rounds; round += 1) {
      for (const measurement of chosen) {
        if (measurement.once && round > 1) continue;
        // Who comes first differs from round to round.
        for (const peer of [...peers.slice(round - 1), ...peers.slice(0, round - 1)]) {
          if ((peer.variant && !measurement.variants) || (measurement.applies && !measurement.applies(peer, place))) continue;
          const begin = performance.now();
          let words: string;
          try {
            const server = measurement.fresh ? await startServer(peer, measurement.honestHash ? { ...place, hash: place.honestHash } : place) : await get(peer);
            try {
              const values = await measurement.measure(server, place);
              for (const [figure, value] of Object.entries(values)) results.add(figure, peer.name, value);
              words = Object.entries(values)
                .map(([figure, value]) => `${figure} ${value.toPrecision(4)}`)
                .join('  ');
            } finally {
              if (measurement.fresh) await server.stop();
            }
          } catch (error) {
            words = (error as Error).message;
            for (const { id } of measurement.figures) results.fail(id, peer.name, words);
          }
          console.log(
            `${round}/${place.scale.rounds} ${measurement.title.padEnd(52)} ${peer.name.padEnd(18)} ${((performance.now() - begin) / 1000).toFixed(1).padStart(5)} s  ${words}`,
          );
        }
      }
    }
  } finally {
    for (const server of running.values()) await server.stop();
  }
  return results;
}

function conditions(wing: Wing, place: Workplace, columns: readonly Column[], isQuick: boolean): string[] {
  const { rounds } = place.scale;
  return [
    `Measured on ${cpus().length} × ${cpus()[0]?.model.trim()}, Node.js ${process.versions.node}, OpenSSL ${process.versions.openssl}, loopback, files on tmpfs; ` +
      `${rounds === 1 ? 'one round' : `medians of ${rounds} interleaved rounds`}${isQuick ? ' of the quick run' : ''}.`,
    ...wing.conditions(place),
    `${columns.map(({ name, version }) => `${name} ${version}`).join(' · ')}.`,
  ];
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});

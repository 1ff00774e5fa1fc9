/** The import boundaries of the house; `npm run boundaries` fails when one is crossed. */

/** The folders of server/ that each speak a protocol with clients. */
const PROTOCOLS = '(ftps|ssh|https|as2)';

module.exports = {
  forbidden: [
    { name: 'server-never-knows-the-kit', severity: 'error', from: { path: '^server' }, to: { path: '^lib|node_modules/(aws-cdk-lib|constructs)' } },
    {
      // The table for queries is generated from the schema of the audit's lines, rules on uploads from their event; the release Lambda does the server's own release, that of accounts hashes and that of host keys reads keys as the server does.
      name: 'kit-knows-only-the-config-and-the-lines-of-the-server',
      severity: 'error',
      from: { path: '^lib', pathNot: '^lib/(storage/release|identity/account|sftp/host-keys)/' },
      to: { path: '^server', pathNot: '^server/(config|audit/schema|files/release/event)' },
    },
    { name: 'config-stands-alone', severity: 'error', from: { path: '^server/config' }, to: { path: '^server', pathNot: '^server/config' } },
    {
      name: 'one-door-to-ftp-srv',
      severity: 'error',
      from: { path: '^(server|lib|bin)', pathNot: '^server/ftps/control/ftp-srv' },
      to: { path: 'node_modules/ftp-srv' },
    },
    {
      name: 'one-door-to-ssh2',
      severity: 'error',
      from: { path: '^(server|lib|bin)', pathNot: '^(server/ssh/transport/(ssh2|ciphers|mac|packet-|ml-kem)|bin/doctor/sftp/ssh2-client)' },
      to: { path: 'node_modules/(@types/)?ssh2' },
    },
    {
      name: 'only-the-entrance-knows-the-protocols',
      severity: 'error',
      from: { path: '^server/', pathNot: `^server/(${PROTOCOLS}/|main\\.ts$)` },
      to: { path: `^server/${PROTOCOLS}/` },
    },
    {
      // What an account may do with its files, and what the audit is told of it, is decided in one place.
      name: 'a-protocol-reaches-storage-and-scanner-through-files',
      severity: 'error',
      from: { path: `^server/(${PROTOCOLS}|http)/` },
      to: { path: '^server/files/(storage|antivirus|release)/' },
    },
    {
      name: 'protocols-live-apart',
      severity: 'error',
      from: { path: `^server/${PROTOCOLS}/` },
      to: { path: `^server/${PROTOCOLS}/`, pathNot: '^server/$1/' },
    },
    {
      name: 'http-is-beneath-the-protocols-and-above-the-files',
      severity: 'error',
      from: { path: '^server/(files|sessions|tls|limits|identity|audit)/' },
      to: { path: '^server/http/' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: { doNotFollow: { path: 'node_modules' }, tsConfig: { fileName: 'tsconfig.json' }, tsPreCompilationDeps: true },
};

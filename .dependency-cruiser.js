/** Arrows that still run upward: what an upload reads from, what a session is, how a handshake watches for the end. */
const STILL_UPWARD = '^server/(files/(upload|download)|sessions/session-info|tls/accept)\\.ts$';

/** The import boundaries of the house; `npm run boundaries` fails when one is crossed. */
module.exports = {
  forbidden: [
    { name: 'server-never-knows-the-kit', severity: 'error', from: { path: '^server' }, to: { path: '^lib|node_modules/(aws-cdk-lib|constructs)' } },
    {
      // The table for queries is generated from the schema of the audit's lines; the release Lambda does the server's own release.
      name: 'kit-knows-only-the-config-and-the-lines-of-the-server',
      severity: 'error',
      from: { path: '^lib', pathNot: '^lib/storage/release/' },
      to: { path: '^server', pathNot: '^server/(config|audit/schema)' },
    },
    { name: 'config-stands-alone', severity: 'error', from: { path: '^server/config' }, to: { path: '^server', pathNot: '^server/config' } },
    {
      name: 'one-door-to-ftp-srv',
      severity: 'error',
      from: { path: '^(server|lib|bin)', pathNot: '^server/ftps/control/ftp-srv' },
      to: { path: 'node_modules/ftp-srv' },
    },
    {
      name: 'only-the-entrance-knows-the-protocols',
      severity: 'error',
      from: { path: '^server/', pathNot: ['^server/(ftps/|main\\.ts$)', STILL_UPWARD] },
      to: { path: '^server/ftps/' },
    },
  ],
  options: { doNotFollow: { path: 'node_modules' }, tsConfig: { fileName: 'tsconfig.json' }, tsPreCompilationDeps: true },
};

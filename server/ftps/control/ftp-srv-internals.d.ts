/** The parts of ftp-srv 4.6.3 that it does not publish types for; see ftp-srv.ts. */
declare module 'ftp-srv/src/connection' {
  const FtpConnection: new (server: unknown, options: { socket: unknown; log: unknown }) => object;
  export default FtpConnection;
}
declare module 'ftp-srv/src/commands/registry' {
  const registry: Record<string, { directive: unknown; handler: unknown; flags?: unknown } | undefined>;
  export default registry;
}

/** FTPS: its listeners, and the ports of its data connections. */
import { z } from 'zod';
import { network } from './network';
import { portRange } from './port-range';
import { file, port, seconds, whoMayConnect } from './values';

export const dataTlsReuse = z
  .enum(['required', 'preferred', 'off'])
  .describe(
    'Whether a data connection must resume a TLS session of its control connection (RFC 4217 section 7). `required`: it must, or bring the client certificate of the control connection. `preferred`: it must as soon as the client has shown in this session that it can; before that, and from clients that can not, a connection is held until its own must be there as well, and taken only from the same address, with the same TLS software, where nobody else came or waits on the port; the audit says so. `off`: the first from the same address is taken.',
  );

const advertisedAddress = z
  .union([
    z.ipv4(),
    z.literal('auto'),
    z.literal('local'),
    z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i, 'expected an IPv4 address, a host name, `auto` or `local`'),
  ])
  .describe(
    'The address that PASV replies with (RFC 959). `local` is the address the client reached, `auto` the public IPv4 of the EC2 instance (IMDSv2), a host name is resolved and cached.',
  );

export const listenerSchema = z.strictObject({
  mode: z
    .enum(['explicit', 'implicit'])
    .describe('`explicit` starts in plain text and upgrades by AUTH TLS (RFC 4217); `implicit` speaks TLS from the first byte.'),
  host: z.string().default('::').describe('The address to listen on; `::` is every IPv4 and IPv6 address.'),
  port: port('The control port.'),
  advertisedAddress: advertisedAddress.default('local'),
  advertisedAddressFor: z
    .array(z.strictObject({ network, address: advertisedAddress }))
    .default([])
    .describe('Exceptions by client network, first match wins: clients inside a VPN are told the inner address.'),
  clientCertificates: z.enum(['off', 'optional', 'required']).default('off').describe('Whether clients present a certificate on this listener.'),
  dataTlsReuse: dataTlsReuse.optional(),
  maxTlsVersion: z
    .enum(['TLSv1.2', 'TLSv1.3'])
    .default('TLSv1.3')
    .describe(
      'The newest TLS version on this listener and its data connections. Some clients (curl, Java) resume a TLS 1.3 session only once and lose it in a small upload; with `TLSv1.2` they resume every time, as `dataTlsReuse: required` needs.',
    ),
  ...whoMayConnect,
});

export const passiveSchema = z.strictObject({
  ports: portRange
    .default('50000-50015')
    .describe(
      'The passive range, low-high, opened once and shared by all sessions; `any:N` takes N free ports, for tests and laptops. `8192-8200` is what AWS Transfer Family uses.',
    ),
  connectSeconds: seconds('How long a port waits for the client after PASV or EPSV and after the transfer command.').default(30),
});

export const activeSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('Whether PORT and EPRT are taken. The server only ever connects to the address of the control connection, ports 1024 and up.'),
  sourcePorts: portRange.optional().describe('Source ports of active data connections, for example `20-20`; absent means any.'),
  connectSeconds: seconds('How long to wait for the client to accept.').default(10),
});

export const firewallSchema = z.strictObject({
  mode: z
    .enum(['off', 'nftables'])
    .default('off')
    .describe(
      '`nftables`: passive ports are closed in the kernel, and one is opened to one client address when its session asks, until the connection is there. Needs the process `ftps firewall`; without it nobody is let through. `off`: they are open to every network that the security group lets in, and strangers are dropped after they connect.',
    ),
  socket: file('Unix socket of `ftps firewall`.').default('/run/ftps-firewall/socket'),
});

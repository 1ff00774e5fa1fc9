/** The PROXY protocol, version 2, by which a load balancer says who the client really is (haproxy's proxy-protocol.txt, section 2.2). */
import type { Socket } from 'node:net';

export interface ProxyHeader {
  readonly source: { readonly address: string; readonly port: number };
  readonly destination: { readonly address: string; readonly port: number };
}

/** `incomplete` wants more bytes. `health-check`: the balancer speaks for itself (LOCAL), there is no client. */
export type ParsedProxyHeader = { readonly header: ProxyHeader | 'health-check'; readonly length: number } | 'incomplete' | 'malformed';

const SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const FIXED_LENGTH = 16;
/** Addresses and the extensions that AWS adds take far less. */
const LONGEST = 1_024;

export function parseProxyHeader(bytes: Buffer): ParsedProxyHeader {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, known, 0, known) !== 0) return 'malformed';
  if (bytes.length < FIXED_LENGTH) return 'incomplete';
  const [versionAndCommand, familyAndProtocol] = [bytes[12]!, bytes[13]!];
  const length = FIXED_LENGTH + bytes.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2 || length > LONGEST) return 'malformed';
  if (bytes.length < length) return 'incomplete';
  if ((versionAndCommand & 15) === 0) return { header: 'health-check', length };
  if ((versionAndCommand & 15) !== 1) return 'malformed';
  const width = familyAndProtocol === 0x11 ? 4 : familyAndProtocol === 0x21 ? 16 : 0;
  if (width === 0 || length < FIXED_LENGTH + 2 * width + 4) return 'malformed';
  const ports = FIXED_LENGTH + 2 * width;
  return {
    length,
    header: {
      source: { address: addressOf(bytes.subarray(FIXED_LENGTH, FIXED_LENGTH + width)), port: bytes.readUInt16BE(ports) },
      destination: { address: addressOf(bytes.subarray(FIXED_LENGTH + width, ports)), port: bytes.readUInt16BE(ports + 2) },
    },
  };
}

/** Reads the header off a connection, and leaves what follows in the socket. */
export function readProxyHeader(socket: Socket, seconds: number): Promise<ProxyHeader | 'health-check' | 'malformed'> {
  return new Promise((resolve) => {
    let held: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => finish('malformed'), seconds * 1000);
    const onReadable = () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      held = Buffer.concat([held, chunk]);
      const parsed = parseProxyHeader(held);
      if (parsed === 'incomplete') return;
      if (parsed === 'malformed') finish('malformed');
      else {
        const rest = held.subarray(parsed.length);
        finish(parsed.header);
        if (rest.length > 0) socket.unshift(rest);
      }
    };
    const onClose = () => finish('malformed');
    function finish(result: ProxyHeader | 'health-check' | 'malformed') {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('end', onClose).off('close', onClose);
      resolve(result);
    }
    socket.on('readable', onReadable).on('end', onClose).on('close', onClose);
  });
}

function addressOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index));
  // The one form that every comparison of addresses here uses: as the URL standard serialises it.
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1);
}

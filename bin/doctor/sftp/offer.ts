/** What a server of SSH says before anything is agreed on: its identification and its lists of algorithms (RFC 4253 sections 4.2 and 7.1). */
import { MalformedPacket, WireReader } from '../../../server/ssh/wire';
import { tcp } from '../control-connection';

export interface SshTarget {
  readonly host: string;
  readonly port: number;
  /** Milliseconds that any single step may take. */
  readonly timeout: number;
}

export interface Offer {
  /** The whole line, for example `SSH-2.0-OpenSSH_9.2p1`. */
  readonly identification: string;
  readonly keyExchanges: readonly string[];
  readonly hostKeys: readonly string[];
  /** In either direction, as are the two that follow. */
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
  readonly compressions: readonly string[];
}

/** What the doctor calls itself. */
export const SOFTWARE = 'ftps_doctor';
const KEXINIT = 20;
/** Beyond that no server has anything to say before its lists. Bytes. */
const LONGEST = 65_536;
const COOKIE = 16;

/** Throws an Error in plain words where what answers does not speak SSH, or nothing does. */
export async function offerOf({ host, port, timeout }: SshTarget): Promise<Offer> {
  const socket = await tcp(host, port, timeout);
  return new Promise<Offer>((resolve, reject) => {
    let got = Buffer.alloc(0);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      socket.removeAllListeners('close').destroy();
      act();
    };
    const fail = (words: string) => settle(() => reject(new Error(words)));
    const timer = setTimeout(() => fail(`the server said no more within ${timeout / 1000} seconds`), timeout);
    socket
      .on('error', (error: NodeJS.ErrnoException) => fail(`the connection broke (${error.code ?? error.message})`))
      .on('close', () => fail('the server closed the connection before it said what it offers'))
      .on('data', (chunk: Buffer) => {
        got = Buffer.concat([got, chunk]);
        try {
          const offer = read(got);
          if (offer) settle(() => resolve(offer));
          else if (got.length > LONGEST) fail('what answers does not speak SSH');
        } catch (error) {
          fail(error instanceof MalformedPacket ? 'what the server offers can not be read' : (error as Error).message);
        }
      });
    socket.write(`SSH-2.0-${SOFTWARE}\r\n`);
  });
}

/** Nothing as long as it is not whole. */
function read(bytes: Buffer): Offer | undefined {
  // Lines may come before the identification.
  const match = /(?:^|\n)(SSH-[^\r\n]*)\r?\n/.exec(bytes.toString('latin1'));
  if (!match) {
    if (/^(220|HTTP|\+OK|\* OK)[ -]/.test(bytes.toString('latin1'))) throw new Error('what answers does not speak SSH');
    return undefined;
  }
  const identification = match[1]!;
  if (!/^SSH-(2\.0|1\.99)-/.test(identification)) throw new Error(`the server speaks only an old protocol (${identification})`);
  const packet = bytes.subarray(match.index + match[0].length);
  if (packet.length < 5) return undefined;
  const length = packet.readUInt32BE(0);
  if (length > LONGEST) throw new MalformedPacket();
  if (packet.length < 4 + length) return undefined;
  const reader = new WireReader(packet.subarray(5, 4 + length - packet[4]!));
  if (reader.byte() !== KEXINIT) throw new MalformedPacket();
  for (let left = COOKIE; left > 0; left -= 1) reader.byte();
  const list = () => reader.string().toString('latin1').split(',').filter(Boolean);
  const both = () => [...new Set([...list(), ...list()])];
  return { identification, keyExchanges: list(), hostKeys: list(), ciphers: both(), macs: both(), compressions: both() };
}

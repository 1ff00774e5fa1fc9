/** Which address the server tells a client to connect to: the outer one behind NAT, the inner one inside a VPN. */
import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { type ListenerConfig, Networks, plainAddress } from '../../config';
import { publicIpv4 } from '../../lifecycle/instance-metadata';

/** An answer is as good as new for this long; after that it still serves while it is asked for again. */
const FRESH_MS = 60_000;
/** An answer older than this waits for the new one, as long as there is one. */
const STALE_MS = 600_000;

interface Answer {
  /** Undefined where the instance has no public address: its clients reach it by the local one. */
  readonly address: string | undefined;
  readonly at: number;
}

export class AdvertisedAddress {
  private readonly exceptions: { readonly networks: Networks; readonly address: string }[];
  private readonly answers = new Map<string, Answer>();
  private readonly asking = new Map<string, Promise<Answer | undefined>>();
  private readonly failing = new Set<string>();

  /** `report` is told when a name or the metadata service begins to fail. */
  constructor(
    private readonly listener: Pick<ListenerConfig, 'advertisedAddress' | 'advertisedAddressFor'>,
    private readonly report: (problem: string) => void = () => {},
  ) {
    this.exceptions = listener.advertisedAddressFor.map(({ network, address }) => ({ networks: new Networks([network]), address }));
  }

  /** Looks up everything that has to be looked up, so that the first client need not wait, and mistakes show at the start. */
  async prepare(): Promise<void> {
    const names = [this.listener.advertisedAddress, ...this.exceptions.map(({ address }) => address)];
    await Promise.all(names.filter((name) => name !== 'local' && !isIPv4(name)).map((name) => this.ask(name)));
  }

  /** The IPv4 address for a PASV reply, or undefined where there is none (a client that came over IPv6, a name that does not resolve). */
  async for(client: string, local: string): Promise<string | undefined> {
    const configured = this.exceptions.find(({ networks }) => networks.contains(client))?.address ?? this.listener.advertisedAddress;
    if (isIPv4(configured)) return configured;
    const own = isIPv4(plainAddress(local)) ? plainAddress(local) : undefined;
    if (configured === 'local') return own;
    const answer = await this.resolve(configured);
    return answer && (answer.address ?? own);
  }

  private async resolve(name: string): Promise<Answer | undefined> {
    const known = this.answers.get(name);
    const age = known ? Date.now() - known.at : Number.POSITIVE_INFINITY;
    if (age < FRESH_MS) return known;
    const asked = this.ask(name);
    return age < STALE_MS ? known : ((await asked) ?? known);
  }

  /** Asks, once for all who want to know. The last answer outlives a failing question. */
  private ask(name: string): Promise<Answer | undefined> {
    const running = this.asking.get(name);
    if (running) return running;
    const question = (name === 'auto' ? publicIpv4() : lookup(name, { family: 4 }).then(({ address }) => address))
      .then(
        (address) => {
          const answer = { address, at: Date.now() };
          this.answers.set(name, answer);
          this.failing.delete(name);
          return answer;
        },
        (error: Error) => {
          if (!this.failing.has(name)) this.report(`${name === 'auto' ? 'the public address of the instance' : name} can't be looked up: ${error.message}`);
          this.failing.add(name);
          return undefined;
        },
      )
      .finally(() => this.asking.delete(name));
    this.asking.set(name, question);
    return question;
  }
}

/** Addresses that are known when they are deployed, the provider of a user pool for example: checked as if they were others, and put back. */
import { Token } from 'aws-cdk-lib';

export class KnownLater {
  private readonly addresses = new Map<string, string>();

  /** The same settings, in which another address stands for each whose value is not known yet. `keys` are those of addresses. */
  standIns<T>(settings: T, keys: readonly string[]): T {
    const within = (value: unknown, key: string): unknown => {
      if (typeof value === 'string') return keys.includes(key) && Token.isUnresolved(value) ? this.standIn(value) : value;
      if (Array.isArray(value)) return value.map((one) => within(one, key));
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, within(one, name)]));
    };
    return within(settings, '') as T;
  }

  /** The settings with the addresses themselves. */
  putBack<T>(settings: T): T {
    if (this.addresses.size === 0) return settings;
    const within = (value: unknown): unknown => {
      if (typeof value === 'string') return this.addresses.get(value) ?? value;
      if (Array.isArray(value)) return value.map(within);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, within(one)]));
    };
    return within(settings) as T;
  }

  private standIn(address: string): string {
    const known = [...this.addresses].find(([, one]) => one === address)?.[0];
    const name = known ?? `https://known-when-deployed-${this.addresses.size + 1}.example.com`;
    this.addresses.set(name, address);
    return name;
  }
}

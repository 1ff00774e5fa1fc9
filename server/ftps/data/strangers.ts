/** Where connections that belong to nobody were seen lately: at those addresses somebody may be trying to take another's transfer. */

/** How long an address stays noted after the last one. Milliseconds. */
const NOTED_MS = 60_000;
const MOST_NOTED = 10_000;

export class Strangers {
  private readonly lastSeen = new Map<string, number>();

  note(address: string): void {
    this.lastSeen.delete(address);
    this.lastSeen.set(address, Date.now());
    if (this.lastSeen.size > MOST_NOTED) for (const oldest of this.lastSeen.keys()) return void this.lastSeen.delete(oldest);
  }

  seenAt(address: string): boolean {
    const seen = this.lastSeen.get(address);
    return seen !== undefined && Date.now() - seen < NOTED_MS;
  }
}

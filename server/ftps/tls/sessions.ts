/**
 * The TLS sessions that this server has issued, each filed under the control session it belongs to. Resuming one is the
 * proof that a data connection comes from that control session's client (RFC 4217 section 7). They go when their owner goes.
 */

interface Stored<Owner> {
  readonly owner: Owner;
  readonly data: Buffer;
  used: boolean;
}

interface Filed {
  /** Ids in the order of issue. */
  readonly ids: string[];
  unused: number;
}

/** The first sessions, issued at login, stay for clients that only ever use those; of later ones the newest are kept. */
const KEPT_FIRST = 4;
const KEPT_IN_ALL = 32;

export class TlsSessions<Owner extends object> {
  private readonly byId = new Map<string, Stored<Owner>>();
  private readonly byOwner = new Map<Owner, Filed>();

  /** Files a session that was just issued to the owner's client, on its control or on one of its data connections. */
  file(owner: Owner, id: Buffer, data: Buffer): void {
    const key = id.toString('latin1');
    const filed = this.byOwner.get(owner) ?? { ids: [], unused: 0 };
    this.byOwner.set(owner, filed);
    if (!this.byId.has(key)) {
      filed.ids.push(key);
      filed.unused += 1;
    }
    this.byId.set(key, { owner, data, used: false });
    if (filed.ids.length > KEPT_IN_ALL) this.drop(filed, filed.ids.splice(KEPT_FIRST, 1)[0]!);
  }

  /** Whose session this is and what OpenSSL needs to resume it. */
  find(id: Buffer): { readonly owner: Owner; readonly data: Buffer } | undefined {
    return this.byId.get(id.toString('latin1'));
  }

  /** Notes that a client has resumed the session. */
  markUsed(id: Buffer): void {
    const stored = this.byId.get(id.toString('latin1'));
    if (!stored || stored.used) return;
    stored.used = true;
    const filed = this.byOwner.get(stored.owner);
    if (filed) filed.unused -= 1;
  }

  /** How many sessions the owner's client could still resume for the first time. */
  unusedOf(owner: Owner): number {
    return this.byOwner.get(owner)?.unused ?? 0;
  }

  /** Forgets all sessions of an owner that has ended. */
  forget(owner: Owner): void {
    for (const id of this.byOwner.get(owner)?.ids ?? []) this.byId.delete(id);
    this.byOwner.delete(owner);
  }

  get size(): number {
    return this.byId.size;
  }

  private drop(filed: Filed, id: string): void {
    if (this.byId.get(id)?.used === false) filed.unused -= 1;
    this.byId.delete(id);
  }
}

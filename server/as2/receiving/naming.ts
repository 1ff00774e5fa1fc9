/** Names that payloads are about to have which this process takes now. Each is one message's, also where it comes on several connections at once: one of them is delivered. */
export class Naming {
  private readonly names = new Map<string, { readonly message: string; users: number }>();

  /** False where it is another message's. */
  take(name: string, message: string): boolean {
    const known = this.names.get(name);
    if (known && known.message !== message) return false;
    if (known) known.users += 1;
    else this.names.set(name, { message, users: 1 });
    return true;
  }

  letGo(name: string): void {
    const known = this.names.get(name);
    if (!known) return;
    known.users -= 1;
    if (known.users === 0) this.names.delete(name);
  }
}

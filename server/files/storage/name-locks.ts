/**
 * One after the other, whoever looks at a name and then changes what has it: an upload that comes into place, a rename, a removal. What was
 * replaced is then known for certain, and its room is given back once. With several workers the locks are kept by the primary.
 */
export interface NameLocks {
  /** Fulfilled when nobody else holds the name; the answer, called once, lets the next one have it. */
  hold(name: string): Promise<() => void>;
}

export class LocalNameLocks implements NameLocks {
  /** The last who holds or waits, by name. */
  private readonly last = new Map<string, Promise<void>>();

  async hold(name: string): Promise<() => void> {
    const before = this.last.get(name);
    let release!: () => void;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.last.set(name, held);
    await before;
    return () => {
      if (this.last.get(name) === held) this.last.delete(name);
      release();
    };
  }
}

/** The locks of all workers as one of them uses them: what it holds goes to the next one when it dies. */
export class HeldNameLocks {
  private readonly held = new Map<string, () => void>();
  private dead = false;

  constructor(private readonly shared: NameLocks) {}

  async lock(name: string): Promise<void> {
    const release = await this.shared.hold(name);
    if (this.dead) release();
    else this.held.set(name, release);
  }

  unlock(name: string): void {
    this.held.get(name)?.();
    this.held.delete(name);
  }

  releaseAll(): void {
    this.dead = true;
    for (const release of this.held.values()) release();
    this.held.clear();
  }
}

/** Holds all the names while `act` runs; always in the same order, so that two can't wait for each other. */
export async function holding<T>(locks: NameLocks, names: readonly string[], act: () => Promise<T>): Promise<T> {
  const releases: (() => void)[] = [];
  try {
    for (const name of [...new Set(names)].sort()) releases.push(await locks.hold(name));
    return await act();
  } finally {
    for (const release of releases) release();
  }
}

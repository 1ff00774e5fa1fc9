/** A queue in which everyone has a lane, and lanes take turns: who brings a thousand waits for the thousand, and others don't. */

/** Of four turns, so many go to those who are preferred, as long as others wait as well. */
const PREFERRED_TURNS = 3;

export class FairQueue<T> {
  private readonly preferred = new Lanes<T>();
  private readonly others = new Lanes<T>();
  private turn = 0;

  get size(): number {
    return this.preferred.size + this.others.size;
  }

  push(item: T, { lane, isPreferred }: { readonly lane: string; readonly isPreferred: boolean }): void {
    (isPreferred ? this.preferred : this.others).push(lane, item);
  }

  take(): T | undefined {
    const isForOthers = this.turn % (PREFERRED_TURNS + 1) === PREFERRED_TURNS;
    this.turn += 1;
    return isForOthers ? (this.others.take() ?? this.preferred.take()) : (this.preferred.take() ?? this.others.take());
  }

  /** Takes out the last one of the longest lane, of those who are not preferred where there are any. */
  dropLongest(): T | undefined {
    return this.others.dropLongest() ?? this.preferred.dropLongest();
  }
}

class Lanes<T> {
  /** In the order of their turns. None is empty. */
  private readonly lanes = new Map<string, T[]>();
  size = 0;

  push(name: string, item: T): void {
    const lane = this.lanes.get(name);
    if (lane) lane.push(item);
    else this.lanes.set(name, [item]);
    this.size += 1;
  }

  take(): T | undefined {
    for (const [name, lane] of this.lanes) {
      this.lanes.delete(name);
      const item = lane.shift();
      if (lane.length > 0) this.lanes.set(name, lane);
      this.size -= 1;
      return item;
    }
    return undefined;
  }

  dropLongest(): T | undefined {
    let longest: readonly [string, T[]] | undefined;
    for (const entry of this.lanes) if (!longest || entry[1].length >= longest[1].length) longest = entry;
    if (!longest) return undefined;
    const [name, lane] = longest;
    const item = lane.pop();
    if (lane.length === 0) this.lanes.delete(name);
    this.size -= 1;
    return item;
  }
}

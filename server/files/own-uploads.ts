/** The files that a session has uploaded: their size and time are no news to it, and it may go on with them. */

/** What a session remembers of them, the newest. */
const MOST_REMEMBERED = 1_000;

export class OwnUploads {
  private readonly paths = new Set<string>();

  add(path: string): void {
    this.paths.delete(path);
    this.paths.add(path);
    if (this.paths.size > MOST_REMEMBERED) this.paths.delete(this.paths.values().next().value!);
  }

  has(path: string): boolean {
    return this.paths.has(path);
  }

  renamed(from: string, to: string): void {
    if (this.paths.delete(from)) this.add(to);
  }
}

/**
 * Folders in which something has changed and no quota counts: each is told to the primary once in a while, however many files come into it, for a message
 * takes both processes longer than a small file's bytes.
 */

/** So long it may wait. What is counted of a home is doubted for seconds before anybody counts anew. Milliseconds. */
const GATHERED_MS = 20;

export class TouchedFolders {
  private readonly folders = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly say: (folder: string) => void) {}

  add(folder: string): void {
    this.folders.add(folder);
    this.timer ??= setTimeout(() => this.tell(), GATHERED_MS);
  }

  /** Tells what waits. */
  tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const folder of this.folders) this.say(folder);
    this.folders.clear();
  }
}

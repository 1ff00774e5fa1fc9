/** A draft from its beginning to its end, as a source. */
import type { Sink, Source } from './source';
import type { Draft } from './storage/storage';

export class FromDraft implements Source {
  private isOver = false;
  private goOn: (() => void) | undefined;
  private reading: Promise<void> = Promise.resolve();

  constructor(private readonly draft: Draft) {}

  flowInto(sink: Sink): void {
    this.reading = this.read(sink).catch((error: Error) => sink.fail(error));
  }

  private async read(sink: Sink): Promise<void> {
    for (let at = 0; !this.isOver; ) {
      const filled = await this.draft.read(at, sink.space());
      if (this.isOver) return;
      if (filled === 0) return sink.end();
      at += filled;
      if (sink.took(filled)) continue;
      await new Promise<void>((resolve) => {
        this.goOn = resolve;
      });
    }
  }

  resume(): void {
    this.goOn?.();
    this.goOn = undefined;
  }

  letGo(): Promise<void> {
    this.isOver = true;
    this.resume();
    return this.reading;
  }
}

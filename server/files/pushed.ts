/** Bytes that are pushed, as a source. */
import { copyBytes } from './copy-bytes';
import type { Sink, Source } from './source';

export class Pushed implements Source {
  private sink: Sink | undefined;
  private goOn: (() => void) | undefined;
  private announceFlow!: () => void;
  /** Fulfilled when bytes can be pushed, or never will be. */
  readonly flows = new Promise<void>((resolve) => {
    this.announceFlow = resolve;
  });
  isOver = false;

  flowInto(sink: Sink): void {
    this.sink = sink;
    this.announceFlow();
  }

  /** Fulfilled when the bytes are taken. */
  async push(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && !this.isOver; ) {
      const taken = copyBytes(bytes, this.sink!.space(), 0, at);
      at += taken;
      if (this.sink!.took(taken)) continue;
      await new Promise<void>((resolve) => {
        this.goOn = resolve;
      });
    }
  }

  /** `cut`: as of a sink. What was pushed is dealt with first. */
  end(cut?: Error): void {
    this.sink?.end(cut);
  }

  fail(error: Error): void {
    this.sink?.fail(error);
  }

  resume(): void {
    this.goOn?.();
    this.goOn = undefined;
  }

  async letGo(): Promise<void> {
    this.isOver = true;
    this.announceFlow();
    this.resume();
  }
}

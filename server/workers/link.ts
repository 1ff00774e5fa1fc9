/** Calls between the primary and a worker, over the channel that Node opens for a forked process. */

/** One end of that channel: `process` in a worker, a cluster.Worker in the primary. */
export interface Port {
  send?(message: unknown, callback?: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

/** What one side lets the other call. Arguments and answers travel as JSON. */
export type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

type Message =
  /** Without a number for what needs no answer. */
  | { readonly call?: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly answer: number; readonly value?: unknown; readonly error?: string };

type ArgumentsOf<Method> = Method extends (...args: infer Args) => unknown ? Args : never;

export class Link<Theirs> {
  private next = 1;
  private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();

  constructor(
    private readonly port: Port,
    private readonly own: Methods,
  ) {
    port.on('message', (message) => void this.take(message as Message));
  }

  /** Calls the other side. Rejected with the error's words where the method threw, and where the other side is gone. */
  call<Name extends keyof Theirs & string>(
    method: Name,
    ...args: ArgumentsOf<Theirs[Name]>
  ): Promise<Theirs[Name] extends (...args: never[]) => infer Answer ? Awaited<Answer> : never> {
    return new Promise((resolve, reject) => {
      const call = this.next++;
      this.waiting.set(call, { resolve: resolve as (value: unknown) => void, reject });
      this.post({ call, method, args }, (error) => {
        this.waiting.delete(call);
        reject(error);
      });
    });
  }

  /** Calls it without waiting for an answer, which is none: a side that is gone does nothing. */
  tell<Name extends keyof Theirs & string>(method: Name, ...args: ArgumentsOf<Theirs[Name]>): void {
    this.post({ method, args });
  }

  /** The other side is gone: nobody answers any more. */
  lost(): void {
    for (const { reject } of this.waiting.values()) reject(new Error('the other process is gone'));
    this.waiting.clear();
  }

  private async take(message: Message): Promise<void> {
    if ('answer' in message) {
      const waiting = this.waiting.get(message.answer);
      this.waiting.delete(message.answer);
      if (message.error === undefined) waiting?.resolve(message.value);
      else waiting?.reject(new Error(message.error));
      return;
    }
    if (!('method' in message)) return;
    const { call, method, args } = message;
    try {
      const value = await this.own[method]!(...(args as never[]));
      if (call !== undefined) this.post({ answer: call, value });
    } catch (error) {
      if (call !== undefined) this.post({ answer: call, error: (error as Error).message });
    }
  }

  /** A process that is just ending can't be written to; who waits for it is told by `lost`. */
  private post(message: Message, onError: (error: Error) => void = () => {}): void {
    try {
      this.port.send?.(message, (error) => error && onError(error));
    } catch (error) {
      onError(error as Error);
    }
  }
}

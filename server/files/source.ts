/** Where an upload's bytes come from, and where they go: what a protocol has to bring, and what it is given for it. */

/** Takes an upload's bytes in order. */
export interface Sink {
  /** Where the next bytes go; one byte at least. Asked for before they come, so that it must stay alive until `took`, or until the source lets go. */
  space(): Buffer;
  /** So many bytes lie at the beginning of the space last given. False asks the source to pause; a little more may still come. */
  took(bytes: number): boolean;
  /**
   * All has come. `cut`: whether that is certain is not known (TLS without close_notify), and the upload is to fail with this for it: what came is
   * dealt with first.
   */
  end(cut?: Error): void;
  /** The connection broke before its end. Of no meaning after `end`. */
  fail(error: Error): void;
  /** Whether bytes are being written, scanned or held back by a limit: then it is not the client who keeps us waiting. */
  readonly isBusy: boolean;
}

export interface Source {
  /** Lets the bytes flow into the sink from now on. Called once. */
  flowInto(sink: Sink): void;
  /** Goes on after the sink asked to pause. May be called at any time. */
  resume(): void;
  /**
   * Nothing more is wanted. `failed`: the upload broke off, and so must the connection; else all was taken. Fulfilled when nothing can come into
   * the space that was last given.
   */
  letGo(failed: boolean): Promise<void>;
}

/**
 * When a client that reads what it is sent during an upload gets its new TLS sessions. Its kernel may hold back a small file, and the end behind it, until a
 * sign of life comes (Nagle's algorithm); by then both should wait there and leave as one. Sent sooner, it lets the file go alone, and the end waits for the 40 ms
 * of a delayed acknowledgement.
 *
 * A client on another machine has written both before the last message of its handshake is here, and so has one on this machine nearly always: the
 * sign is sent in the next turn of the event loop. Where the end came late all the same, some uploads of this client have it a moment later.
 */

/** The moment. Timers count in whole milliseconds: it is one at least. */
const MOMENT_MS = 2;
/** From the sign to the end of a small upload: what takes longer has met a delayed acknowledgement. */
const LATE_MS = 20;
/** So many small uploads in a row whose end was in time show that one which was not was an exception. */
const ALL_RIGHT = 32;
const MOST_PATIENT = 1_024;

export class SignOfLife {
  /** Uploads that are still to have it later. */
  private patient = 0;
  /** How many will be, after the next one whose end is late. */
  private next = 1;
  private inTime = 0;

  /** Sends it when it is time. To be called when a handshake is done; what it answers, when a small upload has come to its end. */
  send(release: () => void): () => void {
    if (this.patient > 0) {
      this.patient -= 1;
      setTimeout(release, MOMENT_MS);
      return () => {};
    }
    let sentAt = Number.POSITIVE_INFINITY;
    setImmediate(() => {
      release();
      sentAt = performance.now();
    });
    return () => this.note(performance.now() - sentAt < LATE_MS);
  }

  private note(wasInTime: boolean): void {
    this.inTime = wasInTime ? this.inTime + 1 : 0;
    if (this.inTime === ALL_RIGHT) this.next = 1;
    if (wasInTime) return;
    this.patient = this.next;
    this.next = Math.min(2 * this.next, MOST_PATIENT);
  }
}

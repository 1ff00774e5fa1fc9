/** For how long a client may be silent: a while after each command, and, until it has logged in, no longer than there is time for that. */

export interface SilenceLimits {
  readonly loginSeconds: number;
  readonly idleSeconds: number;
}

export class Silence {
  private timer: NodeJS.Timeout | undefined;
  /** How long the timer waits. Milliseconds. */
  private waits = 0;
  /** When a session that has not logged in is closed, in milliseconds since 1970. */
  private logInBy: number;
  private over = false;

  constructor(
    private readonly limits: SilenceLimits,
    openedAt: number,
    private readonly onTooLong: () => void,
  ) {
    this.logInBy = openedAt + limits.loginSeconds * 1000;
  }

  /** Something was heard. */
  restart(isLoggedIn: boolean): void {
    if (this.over) return;
    const milliseconds = isLoggedIn ? this.limits.idleSeconds * 1000 : Math.max(0, this.logInBy - Date.now());
    // With every command: to move a timer back is cheaper than to make one.
    if (this.timer && milliseconds === this.waits) return void this.timer.refresh();
    clearTimeout(this.timer);
    this.waits = milliseconds;
    this.timer = setTimeout(this.onTooLong, milliseconds);
  }

  /** There is as much time to log in as at the beginning. */
  allowLogin(): void {
    this.logInBy = Date.now() + this.limits.loginSeconds * 1000;
  }

  end(): void {
    this.over = true;
    clearTimeout(this.timer);
  }
}

/** Every session of one process, whatever its protocol. */
import type { Session } from './session';
import { infoOf, type SessionInfo } from './session-info';

export class Sessions {
  private readonly open = new Set<Session>();

  add(session: Session): void {
    this.open.add(session);
  }

  /** To be called when its connection is gone. */
  remove(session: Session): void {
    this.open.delete(session);
  }

  all(): readonly Session[] {
    return [...this.open];
  }

  infos(): readonly SessionInfo[] {
    return this.all().map(infoOf);
  }

  /** For the administrator. False where there is no such session. */
  async kick(id: string): Promise<boolean> {
    const session = this.all().find((one) => one.id === id);
    await session?.dismiss('kicked', 'The administrator closed this session.');
    return session !== undefined;
  }

  /**
   * Ends every session: at once where nothing is transferred, after its transfer where something is, and after so many seconds, or in a hurry, all.
   * Answers how many that cut.
   */
  async farewell(seconds: number, hurry: AbortSignal): Promise<number> {
    const sessions = this.all();
    const text = 'The server is going down; connect again.';
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), hurry.aborted ? 0 : seconds * 1000);
      hurry.addEventListener('abort', () => resolve('late'), { once: true });
    });
    const left = new Set(sessions);
    for (const session of sessions) void session.closed.then(() => left.delete(session));
    const all = Promise.all(sessions.map((session) => session.dismiss('drain', text)));
    const cut = (await Promise.race([all, deadline])) === 'late' ? [...left] : [];
    await Promise.all(cut.map((session) => session.dismiss('kicked', text)));
    clearTimeout(timer);
    await Promise.all(sessions.map((session) => session.closed));
    return cut.length;
  }
}

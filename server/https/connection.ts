/** One connection of HTTPS: who has come in on it, and who answers its requests. */
import type { Socket } from 'node:net';
import { HttpConnection } from '../http/connection';
import type { HttpExchange } from '../http/exchange';
import type { Attempt, Returned } from '../identity/issuers/client';
import type { Origin } from '../sessions/listener';
import { Door } from './access/door';
import type { HttpsEngine } from './engine';
import type { Application, Caller } from './exchange';
import type { LinkProof } from './links/proof';
import type { LinkRecord } from './links/record';

export class HttpsConnection extends HttpConnection implements Caller {
  private readonly door: Door;

  constructor(
    raw: Socket,
    private readonly engine: HttpsEngine,
    private readonly application: Application,
    origin: Origin,
    onEnd: () => void,
  ) {
    const { clientCertificates, headSeconds, keepAliveSeconds } = engine.config.https;
    super(raw, engine, { protocol: 'https', listener: 'https', tls: { clientCertificates }, headSeconds, keepAliveSeconds }, origin, onEnd);
    this.door = new Door(engine, this);
  }

  get account() {
    return this.door.account;
  }

  protected get standing() {
    return this.door;
  }

  who() {
    return this.engine.who();
  }

  signIn(user: string, password: string | undefined, code?: string) {
    return this.door.signIn(user, password, code);
  }

  get ways() {
    return this.engine.issuers.ways;
  }

  addressOf(way: number, attempt: Attempt) {
    return this.engine.issuers.addressOf(way, attempt);
  }

  signInElsewhere(way: number, returned: Returned, attempt: Attempt) {
    return this.door.signInElsewhere(way, returned, attempt);
  }

  nobody() {
    return this.door.nobody();
  }

  visitor(headers: ReadonlyMap<string, string>) {
    return this.door.visitor(headers);
  }

  byLink(address: string, proof: LinkProof) {
    return this.door.byLink(address, proof);
  }

  signOut(): void {
    this.door.signOut();
  }

  toldOfLink(command: 'LINK' | 'UNLINK' | 'USE', code: number, { id, path }: Pick<LinkRecord, 'id' | 'path'>): void {
    this.engine.audit.record({ kind: 'command', command, argument: id, code, path, ...this.facts });
  }

  protected async handle(exchange: HttpExchange): Promise<void> {
    const mounted = this.engine.mounted.find(({ path }) => path === exchange.head.path);
    if (mounted) return mounted.application(exchange);
    try {
      await this.application({ ...exchange, caller: this });
    } finally {
      this.door.answered();
    }
  }

  protected left(): void {
    this.door.leave();
  }

  protected kicked(): void {
    this.door.signOut();
  }
}

/** Opens FTPS: the firewall of its passive ports, those ports, and its listeners. */
import { parsePortRange, portsOf } from '../config';
import type { OpenProtocol } from '../sessions/protocol';
import { commandTable } from './control/commands';
import type { Engine } from './control/engine';
import type { DataOwner } from './data/channel';
import { PassivePorts } from './data/passive-ports';
import { openFirewall } from './firewall/open';
import { Listener } from './listener';
import { TlsSessions } from './tls/sessions';

export interface OpenFtps extends OpenProtocol {
  readonly passivePorts: readonly number[];
  /** On how many of them somebody is waited for. */
  readonly waitedOn: number;
  /** `up`, `off`, or `down: ` and why. */
  readonly firewallState: string;
}

/** `share`: this process's part of the passive range; by default all of it. Throws an Error that names the setting where a port can't be opened. */
export async function openFtps(parts: Omit<Engine, 'tlsSessions' | 'passive' | 'active'>, share?: readonly number[]): Promise<OpenFtps> {
  const { config, audit, certificates } = parts;
  const tlsSessions = new TlsSessions<DataOwner>();
  const security = { certificates, sessions: tlsSessions, audit, handshakeSeconds: config.tls.handshakeSeconds };
  const firewall = await openFirewall(config.firewall, audit);
  const listeners: Listener[] = [];
  let passive: PassivePorts | undefined;
  const close = async () => {
    for (const listener of [...listeners].reverse()) await listener.close();
    await passive?.close();
    await firewall.close();
  };
  try {
    const pool = await PassivePorts.open({
      hosts: [...new Set(config.listeners.map(({ host }) => host))],
      ports: share ?? portsOf(parsePortRange(config.passive.ports)),
      connectSeconds: config.passive.connectSeconds,
      security,
      firewall,
    });
    passive = pool;
    const engine: Engine = { ...parts, tlsSessions, passive: pool, active: { ...config.active, security } };
    for (const one of config.listeners) {
      const listener = new Listener(one, engine, commandTable);
      await listener.open();
      listeners.push(listener);
    }
    return {
      ports: listeners.map(({ config: { mode, host }, port }) => ({ mode, host, port })),
      passivePorts: pool.ports,
      get waitedOn() {
        return pool.waitedOn;
      },
      get firewallState() {
        return firewall.state;
      },
      stopTaking() {
        for (const listener of listeners) listener.stopTaking();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

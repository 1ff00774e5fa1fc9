/** Opens AS2: its keys, its ports, and the one who sends. */
import { FairTurns } from '../files/fair-turns';
import type { Mounted } from '../http/exchange';
import type { OpenProtocol } from '../sessions/protocol';
import type { As2Parts } from './engine';
import { Keys } from './keys';
import { Lease } from './lease';
import { As2Listener } from './listener';
import { ownOwner } from './receiving/journal';
import { Naming } from './receiving/naming';
import { ReceiptQueue } from './receiving/receipt-queue';
import { Receiving } from './receiving/receiving';
import { Unfinished } from './receiving/unfinished';
import { Records } from './records';
import { KeptBodies } from './restart/kept-bodies';
import { Answers } from './sending/answers';
import { Jobs } from './sending/job';
import { KeptMessages } from './sending/keeping';
import { Sender } from './sending/sender';

export interface OpenAs2 extends OpenProtocol {
  /** What the port of HTTPS answers. */
  readonly mounted: Mounted;
  /** Partners to whom the last attempt failed, each with why, for whoever looks how the server stands. */
  readonly states: Readonly<Record<string, string>>;
  /** Looks at keys and certificates again. */
  reload(): Promise<boolean>;
  /** Breaks off what is being sent, which goes on later, and closes the ports. */
  close(): Promise<void>;
}

const modes = { port: 'as2', plainPort: 'as2-plain' } as const;

/** Throws an Error that names the setting where a key can't be read or a port not be opened. */
export async function openAs2(parts: As2Parts): Promise<OpenAs2> {
  const { as2 } = parts.config;
  const { notes, stretches } = parts.files;
  const keys = await Keys.open(as2, parts.audit);
  const records = new Records(notes, as2.keepDays);
  const jobs = new Jobs(notes);
  const isLeader = () => lease.isHeld;
  const receipts = new ReceiptQueue({ notes, audit: parts.audit, settings: as2 }, isLeader);
  const answers = new Answers(notes, jobs, () => sender.poke());
  const bodies = new KeptBodies({ notes, stretches }, as2.restart);
  const messages = new KeptMessages(stretches, as2.restart);
  const receiving = {
    ...{ ...parts, keys, records, owner: ownOwner(), delivering: new Set<string>(), naming: new Naming(), bodies, receipts, answers },
    strangersReceipts: new FairTurns(1),
  };
  const unfinished = new Unfinished(receiving);
  const sender: Sender = new Sender({ ...parts, keys, records, jobs, answers, receipts, unfinished, bodies, messages, isLeader });
  const lease: Lease = new Lease(notes, () => sender.poke());
  const mounted: Mounted = { path: as2.path, application: (exchange) => new Receiving(receiving, exchange).answer() };
  const listeners = (['port', 'plainPort'] as const)
    .filter((kind) => as2[kind] !== undefined)
    .map((kind) => ({ kind, listener: new As2Listener(parts, mounted, kind) }));
  const opened: As2Listener[] = [];
  const close = async () => {
    await sender.close();
    await receipts.close();
    await lease.close();
    keys.close();
    await Promise.all(opened.map((listener) => listener.close()));
  };
  try {
    for (const { listener } of listeners) {
      await listener.open();
      opened.push(listener);
    }
    await lease.start();
  } catch (error) {
    await close();
    throw error;
  }
  sender.start();
  return {
    mounted,
    ports: listeners.map(({ kind, listener }) => ({ mode: modes[kind], host: as2.host, port: listener.port })),
    get states() {
      return sender.states;
    },
    stopTaking() {
      for (const listener of opened) listener.stopTaking();
    },
    reload: () => keys.reload(),
    close,
  };
}

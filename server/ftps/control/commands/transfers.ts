/** Files to the client and from it (RFC 959 section 4.1.3). */
import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { wholeFile } from '../../../files/antivirus/whole-file';
import { sendFile } from '../../../files/download';
import type { WriteHandle, WriteMode } from '../../../files/storage/storage';
import { receiveFile } from '../../../files/upload';
import { LONGEST_NAME, namesFolder } from '../../../files/virtual-path';
import { Outgoing } from '../../transfer/outgoing';
import type { Command } from '../command';
import { resolveFile, resolvePath } from '../paths';
import type { Session } from '../session';
import { mayTransfer, paceFor, RefusedByScanner, runTransfer } from '../transfer';

async function download(session: Session, argument: string): Promise<void> {
  if (!(await mayTransfer(session))) return;
  const path = resolveFile(session, argument);
  const offset = takeRestart(session);
  const source = await session.volume!.openRead(path, offset);
  const { stallSeconds } = session.engine.config.limits;
  await runTransfer(session, {
    kind: 'download',
    command: 'RETR',
    path,
    offset,
    opening: `Opening data connection for ${posix.basename(path)} (${source.size - offset} bytes).`,
    move: async (channel, progress) => {
      progress.total = source.size - offset;
      await sendFile(source, offset, new Outgoing(channel.socket, progress, stallSeconds, paceFor(session, 'download')));
      await source.close();
      return {};
    },
    undo: () => source.close(),
  });
}

async function upload(session: Session, command: 'STOR' | 'APPE' | 'STOU', path: string, mode: WriteMode): Promise<void> {
  const { scanner, config, storage, releases } = session.engine;
  const target = await session.volume!.openWrite(path, mode);
  const scan = scanner && wholeFile(scanner.begin(), target.kept());
  let opened: WriteHandle | undefined = target;
  let visible = true;
  await runTransfer(session, {
    kind: 'upload',
    command,
    path,
    offset: mode.kind === 'resume' ? mode.offset : 0,
    // The form of the 150 reply to STOU is fixed: RFC 1123 section 4.1.2.9.
    opening: command === 'STOU' ? `FILE: ${posix.basename(path)}` : `Opening data connection for ${posix.basename(path)}.`,
    move: async (channel, progress) => {
      progress.signal.addEventListener('abort', () => target.stop(), { once: true });
      const received = await receiveFile(channel, target, progress, {
        stallSeconds: config.limits.stallSeconds,
        requireCloseNotify: session.account!.requireCloseNotify,
        hash: config.audit.hashUploads,
        scan,
        pace: paceFor(session, 'upload'),
      });
      const { verdict } = received;
      const facts = { sha256: received.sha256, client: session.facts.client.address, session: session.id };
      if (verdict?.result === 'error' || verdict?.result === 'too-large') throw new RefusedByScanner(received, verdict.result);
      if (verdict?.result === 'infected') {
        opened = undefined;
        const { signature, engine } = verdict;
        // Refused in any case; where it could not be kept, the audit names no quarantine.
        const quarantined = await target.quarantine({ ...facts, signature, engine }).catch(() => undefined);
        throw new RefusedByScanner({ ...received, verdict: { ...verdict, quarantined } }, 'infected');
      }
      opened = undefined;
      const { size } = target;
      visible = (await target.commit(facts)) === 'visible';
      session.uploads.add(path);
      const { user, home } = session.account!;
      if (visible) releases.announce({ user, path, file: storage.locate(home, path), bytes: size, ...facts });
      return received;
    },
    ended: () => (visible ? undefined : 'Transfer complete; the file appears when it has been scanned.'),
    undo: async () => {
      scan?.abort();
      await opened?.abort();
    },
  });
}

/** The byte that REST named, for this command only. */
function takeRestart(session: Session): number {
  const offset = session.restartAt;
  session.restartAt = 0;
  return offset;
}

/** `report.csv.0123456789ab` for `report.csv`, `inbox/upload.0123456789ab` for `inbox/`; what is too long for a name is cut. */
function uniqueName(wanted: string): string {
  const folder = wanted.slice(0, wanted.lastIndexOf('/') + 1);
  const base = wanted.slice(folder.length);
  const mark = `.${randomBytes(6).toString('hex')}`;
  if (namesFolder(base)) return `${wanted}${base === '' ? '' : '/'}upload${mark}`;
  // The decoder leaves out a character of which only a part is left.
  return `${folder}${new StringDecoder('utf8').write(Buffer.from(base).subarray(0, LONGEST_NAME - mark.length))}${mark}`;
}

export const transfers: readonly Command[] = [
  { name: 'RETR', syntax: 'RETR <path>', allowed: 'once-logged-in', argument: 'required', verbatim: true, needs: ['read'], run: download },
  {
    name: 'STOR',
    syntax: 'STOR <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    needs: ['write'],
    async run(session, argument) {
      if (!(await mayTransfer(session))) return;
      const offset = takeRestart(session);
      const path = resolveFile(session, argument);
      // How far REST may go would tell how long the file is.
      if (offset > 0 && !session.maySee(path)) return session.reply(554, 'This account may only go on with what it uploaded in this session.');
      return upload(session, 'STOR', path, offset > 0 ? { kind: 'resume', offset } : { kind: 'replace' });
    },
  },
  {
    name: 'APPE',
    syntax: 'APPE <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    needs: ['write'],
    async run(session, argument) {
      if (!(await mayTransfer(session))) return;
      session.restartAt = 0;
      return upload(session, 'APPE', resolveFile(session, argument), { kind: 'append' });
    },
  },
  {
    name: 'STOU',
    syntax: 'STOU [<path>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    verbatim: true,
    needs: ['write'],
    async run(session, argument) {
      if (!(await mayTransfer(session))) return;
      session.restartAt = 0;
      return upload(session, 'STOU', resolvePath(session, uniqueName(argument)), { kind: 'create' });
    },
  },
];

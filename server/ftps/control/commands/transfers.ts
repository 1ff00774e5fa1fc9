/** Files to the client and from it (RFC 959 section 4.1.3). */
import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { WriteMode } from '../../../files/account-files';
import { LONGEST_NAME, namesFolder } from '../../../files/virtual-path';
import { IncomingData } from '../../transfer/incoming';
import { Outgoing } from '../../transfer/outgoing';
import { resolveFile, resolvePath } from '../paths';
import type { Session, SessionCommand } from '../session';
import { mayTransfer, runTransfer } from '../transfer';

async function download(session: Session, argument: string): Promise<void> {
  if (!(await mayTransfer(session))) return;
  const path = resolveFile(session, argument);
  const offset = session.restartAt;
  const files = session.files!;
  const download = await files.openDownload('RETR', path, offset);
  const { progress, size } = download;
  const { stallSeconds } = session.engine.config.limits;
  await runTransfer(session, {
    command: 'RETR',
    path,
    direction: 'out',
    progress,
    opening: `Opening data connection for ${posix.basename(path)} (${size - offset} bytes).`,
    move: (connect) => download.send(async () => new Outgoing((await connect()).socket, progress, stallSeconds, files.downloadPace)),
    discard: () => download.discard(),
  });
}

async function upload(session: Session, command: 'STOR' | 'APPE' | 'STOU', path: string, mode: WriteMode): Promise<void> {
  const { requireCloseNotify } = session.account!;
  const upload = await session.files!.openUpload(command, path, mode);
  const { stallSeconds } = session.engine.config.limits;
  await runTransfer(session, {
    command,
    path,
    direction: 'in',
    progress: upload.progress,
    // The form of the 150 reply to STOU is fixed: RFC 1123 section 4.1.2.9.
    opening: command === 'STOU' ? `FILE: ${posix.basename(path)}` : `Opening data connection for ${posix.basename(path)}.`,
    move: (connect) => upload.receive(async () => new IncomingData(await connect(), { stallSeconds, requireCloseNotify })),
    discard: () => upload.discard(),
  });
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

export const transfers: readonly SessionCommand[] = [
  { name: 'RETR', syntax: 'RETR <path>', allowed: 'once-logged-in', argument: 'required', verbatim: true, does: 'download', run: download },
  {
    name: 'STOR',
    syntax: 'STOR <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    does: 'upload',
    async run(session, argument) {
      if (!(await mayTransfer(session))) return;
      const offset = session.restartAt;
      const path = resolveFile(session, argument);
      return upload(session, 'STOR', path, offset > 0 ? { kind: 'resume', offset } : { kind: 'replace' });
    },
  },
  {
    name: 'APPE',
    syntax: 'APPE <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    does: 'upload',
    async run(session, argument) {
      if (!(await mayTransfer(session))) return;
      return upload(session, 'APPE', resolveFile(session, argument), { kind: 'append' });
    },
  },
  {
    name: 'STOU',
    syntax: 'STOU [<path>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    verbatim: true,
    does: 'upload',
    async run(session, argument) {
      if (!(await mayTransfer(session))) return;
      return upload(session, 'STOU', resolvePath(session, uniqueName(argument)), { kind: 'create' });
    },
  },
];

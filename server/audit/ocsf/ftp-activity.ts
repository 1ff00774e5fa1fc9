/** What is done with files, by whatever protocol: OCSF FTP Activity. */
import { posix } from 'node:path';
import type { Activity, Tellers } from './base-event';
import { cut, file, network } from './objects';

const FTP_ACTIVITY = 4008;

/** Commands of FTP and requests of SFTP and HTTP that delete and rename. */
const REMOVING = ['DELE', 'RMD', 'REMOVE', 'RMDIR', 'DELETE'];
const RENAMING = ['RNTO', 'RENAME', 'POSIX-RENAME', 'MOVE'];

export const ftpActivity: Tellers<'command' | 'transfer'> = {
  command: (event) => {
    // Codes of SFTP say something else than those of FTP: what is refused there says so by itself.
    const failed = event.refused ?? event.code >= 400;
    const activity: Activity = REMOVING.includes(event.command) ? [4, 'Delete'] : RENAMING.includes(event.command) ? [5, 'Rename'] : [99, 'Command'];
    return {
      classUid: FTP_ACTIVITY,
      activity,
      severity: failed ? 2 : 1,
      outcome: failed ? 'failure' : 'success',
      detail: failed ? String(event.code) : undefined,
      message: `${event.command} ${event.code}`,
      unmapped: { event: 'command', listener: event.listener, argument: cut(event.argument), renamed_to: cut(event.renamedTo), replaced: event.replaced },
      attributes: { ...network(event), command: event.command, codes: [event.code], file: event.path === undefined ? undefined : file(event.path, 0) },
    };
  },
  transfer: (event) => {
    const activity: Activity = event.transfer === 'upload' ? [1, 'Put'] : event.transfer === 'download' ? [2, 'Get'] : [6, 'List'];
    const failed = event.outcome !== 'success';
    return {
      classUid: FTP_ACTIVITY,
      activity,
      severity: event.verdict?.result === 'infected' ? 4 : failed ? 3 : 1,
      outcome: failed ? 'failure' : 'success',
      detail: event.verdict?.result === 'infected' ? 'infected' : failed ? event.outcome : undefined,
      message: failed ? `${event.transfer} ${event.outcome}: ${event.reason}` : `${event.transfer} complete`,
      unmapped: {
        event: 'transfer',
        outcome: event.outcome,
        reason: event.reason,
        offset: event.offset,
        encrypted: event.encrypted,
        listener: event.listener,
        verdict: event.verdict,
      },
      attributes: {
        ...network(event),
        command: event.command,
        name: posix.basename(event.path),
        file: {
          ...file(event.path, event.transfer === 'listing' ? 2 : 1),
          size: failed || event.transfer === 'listing' ? undefined : event.offset + event.bytes,
          hashes: event.sha256 ? [{ algorithm: 'SHA-256', algorithm_id: 3, value: event.sha256 }] : undefined,
        },
        traffic: { bytes: event.bytes },
        duration: Math.round(event.seconds * 1000),
      },
    };
  },
};

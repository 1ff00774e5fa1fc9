/** Audit, console, and the life of the process. */
import { z } from 'zod';
import { bytes, count, port, seconds } from './values';

export const auditSchema = z.strictObject({
  destination: z.string().min(1).default('-').describe('File to append to, or `-` for standard output. One OCSF JSON object a line.'),
  sync: z.boolean().default(false).describe('Whether every line is flushed to disk before service goes on.'),
  rotate: z
    .union([
      z.literal(false),
      z.strictObject({
        bytes: bytes('Size from which on the file is begun anew; the one before is named after the moment, `audit-20260501T120000.000Z.json`.').default(
          64 * 1024 * 1024,
        ),
        minutes: count('Age from which on it is. Minutes.').default(1_440),
        keepBytes: bytes(
          'What rotated files may take together. Of those that were read since their last line, as by an agent that ships them, or are an hour old, the oldest goes first.',
        ).default(1024 * 1024 * 1024),
        freeBytes: bytes(
          'What stays free on the disk of the audit: below that, rotated files go, those that were shipped first; once none is left, the audit says that it is short of room, long before it can not be written.',
        ).default(256 * 1024 * 1024),
      }),
    ])
    .prefault({})
    .describe('How the file is kept in bounds. `false`: something else rotates it and says so with SIGHUP.'),
  heartbeatSeconds: seconds('How often the server says that it is alive, with its open sessions and transfers. An alarm notices when it does not.').default(60),
  hashUploads: z.boolean().default(true).describe('Whether the SHA-256 of every upload is computed as it streams and reported with it.'),
});

export const adminSchema = z.strictObject({
  socket: z.string().min(1).optional().describe('Unix socket of the admin interface, mode 0660.'),
  port: port('Loopback HTTP port of the admin interface: health, metrics, sessions.').optional(),
});

export const lifecycleSchema = z
  .strictObject({
    kind: z.literal('auto-scaling'),
    group: z.string().min(1).describe('Name of the Auto Scaling group that the instance is in.'),
    hook: z.string().min(1).describe('Name of its hook on termination, which is completed once the server has drained.'),
    pollSeconds: seconds('How often the instance metadata is asked for the target lifecycle state.').default(5),
  })
  .describe('Where instances come and go by themselves: the server drains when its instance is to be ended, and then lets it go.');

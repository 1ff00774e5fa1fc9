/** Encryption of the control and data connections (RFC 2228, RFC 4217). */
import type { SessionCommand } from '../session';

export const security: readonly SessionCommand[] = [
  {
    name: 'AUTH',
    syntax: 'AUTH TLS',
    allowed: 'until-secured',
    argument: 'required',
    // Announced after it was used, too (RFC 4217 section 6): clients ask again. In implicit mode it never can be.
    features: ({ origin }) => (origin.listener.mode === 'explicit' ? ['AUTH TLS;TLS-C;SSL;TLS-P;'] : []),
    async run(session, argument) {
      const mechanism = argument.toUpperCase();
      if (!['TLS', 'TLS-C', 'TLS-P', 'SSL'].includes(mechanism)) return session.reply(504, 'Only AUTH TLS is known.');
      // The two old names mean that the data connection is private, too (draft-murray-auth-ftp-ssl section 3).
      if (mechanism === 'SSL' || mechanism === 'TLS-P') session.protection = 'private';
      return session.upgrade();
    },
  },
  {
    name: 'PBSZ',
    syntax: 'PBSZ 0',
    allowed: 'once-secured',
    argument: 'required',
    features: () => ['PBSZ'],
    async run(session, argument) {
      if (!/^\d{1,10}$/.test(argument)) return session.reply(501, 'Write it as PBSZ 0.');
      if (session.protection === 'none') session.protection = 'buffer-size-set';
      // Under TLS the buffer size has no meaning, and the server answers with 0 (RFC 4217 section 8).
      return session.reply(200, 'PBSZ=0');
    },
  },
  {
    name: 'PROT',
    syntax: 'PROT P',
    allowed: 'once-secured',
    argument: 'required',
    features: () => ['PROT'],
    async run(session, argument) {
      const level = argument.toUpperCase();
      if (!['C', 'S', 'E', 'P'].includes(level)) return session.reply(504, 'Write it as PROT P.');
      if (level === 'S' || level === 'E') return session.reply(536, 'TLS has no such level; send PROT P.');
      if (level === 'C') return session.reply(534, 'Data connections are encrypted here; send PROT P.');
      if (session.protection === 'none') return session.reply(503, 'Send PBSZ 0 first.');
      session.protection = 'private';
      return session.reply(200, 'Data connections are private.');
    },
  },
  {
    name: 'CCC',
    syntax: 'CCC',
    allowed: 'once-secured',
    argument: 'none',
    async run(session) {
      return session.reply(534, 'The control connection stays encrypted.');
    },
  },
];

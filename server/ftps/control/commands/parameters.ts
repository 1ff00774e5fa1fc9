/** Transfer parameters (RFC 959 section 4.1.2, RFC 3659 section 5). */
import type { SessionCommand } from '../session';

export const parameters: readonly SessionCommand[] = [
  {
    name: 'TYPE',
    syntax: 'TYPE {A [N]|I|L 8}',
    allowed: 'once-secured',
    argument: 'required',
    async run(session, argument) {
      const type = argument.toUpperCase();
      if (/^(I|L *8)$/.test(type)) return session.reply(200, 'Type is image.');
      // Files go byte for byte in either type: a line end that the server rewrote would change the file's hash.
      if (/^A( *N)?$/.test(type)) return session.reply(200, 'Type is ASCII; files go byte for byte.');
      return /^[AEIL]/.test(type) ? session.reply(504, 'Only types A and I are there.') : session.reply(501, 'Write it as TYPE I.');
    },
  },
  { name: 'MODE', syntax: 'MODE S', allowed: 'once-secured', argument: 'required' },
  { name: 'STRU', syntax: 'STRU F', allowed: 'once-secured', argument: 'required' },
  {
    name: 'REST',
    syntax: 'REST <byte>',
    allowed: 'once-logged-in',
    argument: 'required',
    features: () => ['REST STREAM'],
    async run(session, argument) {
      if (!/^\d{1,15}$/.test(argument)) return session.reply(501, 'Write it as REST 0, or a number of bytes.');
      session.restartAt = Number(argument);
      return session.reply(350, `The next transfer starts at byte ${session.restartAt}.`);
    },
  },
];

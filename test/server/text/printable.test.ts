import fc from 'fast-check';
import { Chain } from '../../../server/audit/chain';
import { toOcsf } from '../../../server/audit/ocsf';
import { readableLine } from '../../../server/audit/readable';
import { printable, printableText } from '../../../server/text/printable';
import { anyText } from '../support/any-text';
import { RawClient, readAll, testServer } from '../support/server';

/** Clears the screen, ends the line, says something in the server's name, hides the rest, and turns the reading direction. */
const HOSTILE = 'a\u001b[2J\r\n12:00:00  192.0.2.1  root  Login succeeded\u001b[8m\u009b1A\u202etxt.exe\u2066\u2028b';
const CONTROL = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u;

it('what a stranger wrote stays on its line and moves nothing', () => {
  expect(printable(HOSTILE)).not.toMatch(CONTROL);
  expect(printable(HOSTILE)).toContain('a\\u001b[2J\\u000d\\u000a12:00:00');
  expect(printable('Ärger 文件 😀.txt')).toBe('Ärger 文件 😀.txt');
});

it('of JSON the value stays the same, whatever is in it; colours stay where they are asked for', () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      const shown = printableText(`${JSON.stringify({ text }, undefined, 2)}\n`);
      expect(shown.replaceAll('\n', '')).not.toMatch(CONTROL);
      expect(JSON.parse(shown)).toEqual({ text });
    }),
  );
  const coloured = '\u001b[31mred\u001b[0m\u001b[2J\u001bm\n';
  expect(printableText(coloured, { colour: true })).toBe('\u001b[31mred\u001b[0m\\u001b[2J\\u001bm\n');
  expect(printableText(coloured)).toBe('\\u001b[31mred\\u001b[0m\\u001b[2J\\u001bm\n');
});

it('a line of the audit holds none, neither as it is written nor as it is shown', () => {
  const facts = {
    session: 's',
    protocol: 'ftps',
    listener: 'explicit',
    client: { address: '192.0.2.1', port: 1 },
    server: { address: '192.0.2.2', port: 21 },
  } as const;
  const context = { time: 0, sequence: 1, productVersion: '1' };
  for (const event of [
    { kind: 'login', outcome: 'failure', login: HOSTILE, reason: HOSTILE, ...facts },
    { kind: 'command', command: 'RNFR', argument: HOSTILE, code: 550, path: HOSTILE, renamedTo: HOSTILE, ...facts },
    { kind: 'handshake-failed', channel: 'control', reason: 'malformed', detail: HOSTILE, ...facts },
  ] as const) {
    const line = new Chain().link(toOcsf(event, context));
    expect(line).not.toMatch(CONTROL);
    expect(JSON.stringify(JSON.parse(line))).toContain(JSON.stringify(HOSTILE).slice(1, -1));
    expect(readableLine(JSON.parse(line))).not.toMatch(CONTROL);
  }
});

it('SITE WHO shows what others transfer without obeying it', async () => {
  const server = await testServer({}, [{ user: 'demo', admin: true }]);
  try {
    const [one, admin] = [await RawClient.loggedIn(server), await RawClient.loggedIn(server)];
    const port = await one.epsv();
    one.write('STOR a\u009b\u202e.txt\r\n'); // C0 can be in no name
    const upload = await one.data(server, port);
    upload.write('x');
    await one.reply();
    const who = await admin.send('SITE WHO');
    expect(who).toContain('STOR /a\\u009b\\u202e.txt');
    expect(who.replaceAll('\r\n', '')).not.toMatch(CONTROL);
    upload.end();
    await readAll(upload);
    one.close();
    admin.close();
  } finally {
    await server.close();
  }
});

import fc from 'fast-check';
import { parseCommand } from '../../../../server/ftps/control/parse-command';
import { anyText } from '../../support/any-text';

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,15}$/);
const text = anyText({ maxLength: 200 }).filter((one) => !/[\r\n\0]/.test(one));

describe('a command line', () => {
  it('is cut at its first blank, and the argument is what follows, byte for byte', () => {
    fc.assert(
      fc.property(name, text, (command, argument) => {
        expect(parseCommand(`${command} ${argument}`)).toEqual({ name: command.toUpperCase(), argument });
      }),
    );
  });

  it('may have no argument', () => {
    fc.assert(fc.property(name, (command) => expect(parseCommand(command)).toEqual({ name: command.toUpperCase(), argument: '' })));
  });

  it('has no name unless it begins like one, and never throws', () => {
    fc.assert(
      fc.property(text, (line) => {
        const parsed = parseCommand(line);
        expect(parsed.name).toMatch(/^([A-Z][A-Z0-9]{0,15})?$/);
        if (parsed.name !== '') expect(line.toUpperCase().startsWith(parsed.name)).toBe(true);
      }),
    );
  });

  it.each([' NOOP', '', '\tNOOP', 'x'.repeat(17), 'NO-OP', '1', 'é'])('%j is none', (line) => {
    expect(parseCommand(line).name).toBe('');
  });
});

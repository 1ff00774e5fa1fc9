/**
 * Evaluates JSON filter patterns as CloudWatch Logs does (user guide, "Filter pattern syntax", "Using filter patterns to match terms in
 * JSON log events"): selectors, = != < > <= >=, IS TRUE, IS FALSE, IS NULL, NOT EXISTS, `*` in texts, %regular expressions%, && before ||,
 * parentheses. What the guide doesn't decide (a text compared with a number, an object with anything) is an error here, so that no
 * pattern can rest on it.
 */

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type Condition = (line: Json) => boolean;

/** The condition that a pattern stands for. Throws where it is not written as CloudWatch takes it. */
export function filterPattern(pattern: string): Condition {
  const trimmed = pattern.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) throw new Error(`${pattern}: a JSON pattern stands in { }`);
  const tokens = tokensOf(trimmed.slice(1, -1));
  const condition = either(tokens);
  if (tokens.length > 0) throw new Error(`${pattern}: ${tokens[0]} was not expected`);
  return condition;
}

/** The value of a selector such as `$.traffic.bytes`; undefined where there is none. */
export function selected(selector: string, line: Json): Json | undefined {
  let value: Json | undefined = line;
  for (const [, name, quoted, index] of selector.slice(1).matchAll(/\.([A-Za-z_][\w-]*)|\['([^']*)'\]|\[(\d+)\]/g)) {
    if (index !== undefined) value = Array.isArray(value) ? value[Number(index)] : undefined;
    else value = isObject(value) ? value[(name ?? quoted)!] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}

const token = /\s*(\$(?:\.[A-Za-z_][\w-]*|\['[^']*'\]|\[\d+\])+|&&|\|\||[()]|!=|<=|>=|[=<>]|"(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)*%|[\w.:*/+-]+)\s*/y;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  for (token.lastIndex = 0; token.lastIndex < text.length; ) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (!match) throw new Error(`${text.slice(at)}: is not the syntax of a filter pattern`);
    tokens.push(match[1]!);
  }
  return tokens;
}

function either(tokens: string[]): Condition {
  let left = both(tokens);
  while (tokens[0] === '||') {
    tokens.shift();
    const [one, other] = [left, both(tokens)];
    left = (line) => one(line) || other(line);
  }
  return left;
}

function both(tokens: string[]): Condition {
  let left = single(tokens);
  while (tokens[0] === '&&') {
    tokens.shift();
    const [one, other] = [left, single(tokens)];
    left = (line) => one(line) && other(line);
  }
  return left;
}

function single(tokens: string[]): Condition {
  const first = tokens.shift();
  if (first === '(') {
    const inner = either(tokens);
    if (tokens.shift() !== ')') throw new Error('a parenthesis is not closed');
    return inner;
  }
  if (!first?.startsWith('$')) throw new Error(`${first}: a condition begins with a selector, $.name`);
  const operator = tokens.shift();
  const operand = tokens.shift();
  if (operator === undefined || operand === undefined) throw new Error(`${first}: the condition is not complete`);
  const value = (line: Json) => selected(first, line);
  switch (`${operator} ${operand}`) {
    case 'IS TRUE':
      return (line) => value(line) === true;
    case 'IS FALSE':
      return (line) => value(line) === false;
    case 'IS NULL':
      return (line) => value(line) === null;
    case 'NOT EXISTS':
      return (line) => value(line) === undefined;
  }
  return (line) => {
    const found = value(line);
    return found !== undefined && found !== null && compare(found, operator, operand);
  };
}

function compare(value: Json, operator: string, operand: string): boolean {
  if (typeof value === 'number') {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(operand)) throw new Error(`the number ${value} is compared with ${operand}`);
    const number = Number(operand);
    return { '=': value === number, '!=': value !== number, '<': value < number, '>': value > number, '<=': value <= number, '>=': value >= number }[operator]!;
  }
  if (typeof value !== 'string') throw new Error(`${JSON.stringify(value)} is compared with ${operand}`);
  if (operator !== '=' && operator !== '!=') throw new Error(`the text "${value}" is compared by ${operator}`);
  const matches = operand.startsWith('%') ? new RegExp(operand.slice(1, -1)).test(value) : like(operand).test(value);
  return matches === (operator === '=');
}

/** A text of a pattern, `*` standing for anything. */
function like(operand: string): RegExp {
  const quoted = operand.startsWith('"');
  if (!quoted && /^[+-]?[\d.]+$/.test(operand)) throw new Error(`a text is compared with the number ${operand}`);
  const text = quoted ? operand.slice(1, -1).replaceAll(/\\(.)/g, '$1') : operand;
  return new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

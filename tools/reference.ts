/** docs/reference.md: the public constructs, from their declarations and docstrings. Read as text, so that it takes no compilation. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript-6';

const root = join(__dirname, '..');

interface Doc {
  readonly text: string;
  readonly fallback: string | undefined;
}

type Declaration = ts.ClassDeclaration | ts.InterfaceDeclaration | ts.EnumDeclaration;

/** What lib/index.ts exports, by the folder that it lies in. */
export function constructReference(): string {
  const declarations = [...exported()];
  const names = new Set(declarations.map(({ node }) => node.name!.text));
  const folders = [...new Set(declarations.map(({ folder }) => folder))].sort();
  const sections = folders.map((folder) => {
    const inside = declarations.filter((one) => one.folder === folder).map(({ node }) => described(node, names));
    const title = titles[folder];
    if (title === undefined)
      throw new Error(`lib/${folder} exports something, and its section of docs/reference.md has no title; give it one in tools/reference.ts`);
    return `## ${title}\n\n${inside.join('\n\n')}`;
  });
  return `# Constructs

What \`cdk-ftps\` exports, written from the docstrings (\`npm run docs\`). In Python names are in snake_case, in Java props have builders; everything else is the same.
A type that is not described here is one of aws-cdk-lib.

${sections.join('\n\n')}
`;
}

const titles: Record<string, string> = {
  '': 'The service and its environments',
  as2: 'Keys of AS2',
  certificate: 'Certificates',
  endpoint: 'Endpoints',
  fleet: 'Instances',
  identity: 'Accounts',
  image: 'Image',
  logs: 'Logs',
  network: 'Network',
  observability: 'Alarms and dashboard',
  pipeline: 'Pipeline',
  protocols: 'SFTP, HTTPS and AS2',
  sftp: 'Host keys of SFTP',
  storage: 'Storage',
};

/** A public interface as a table of settings: what it is called, what it means, what it is unless it is said. */
export function settingsOf(name: string): string {
  const all = [...exported()].map(({ node }) => node);
  const names = new Set(all.map((node) => node.name!.text));
  const interfaceNamed = (wanted: string) => all.find((node): node is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(node) && node.name.text === wanted)!;
  const propertiesOf = (node: ts.InterfaceDeclaration): ts.PropertySignature[] => [
    ...node.members.filter(ts.isPropertySignature),
    ...(node.heritageClauses ?? []).flatMap(({ types }) => types.flatMap((type) => propertiesOf(interfaceNamed(type.getText())))),
  ];
  const rows = propertiesOf(interfaceNamed(name)).map((one) => {
    const [property = '', type = '', fallback = '', meaning = ''] = propertyRow(one, names);
    return [property, type.replaceAll('](#', '](reference.md#'), meaning, fallback];
  });
  return table(['setting', 'type', 'meaning', 'default'], rows);
}

/** Interfaces of aws-cdk-lib that public ones extend, and where they are declared. */
const foreign: Record<string, string> = {
  StageProps: 'core/lib/stage.d.ts',
  StackProps: 'core/lib/stack.d.ts',
  OnEventOptions: 'aws-events/lib/on-event-options.d.ts',
  EventCommonOptions: 'aws-events/lib/on-event-options.d.ts',
};

function* foreignInterfaces(): Generator<ts.InterfaceDeclaration> {
  for (const [name, file] of Object.entries(foreign))
    for (const node of parse(join(root, 'node_modules/aws-cdk-lib', file)).statements)
      if (ts.isInterfaceDeclaration(node) && node.name.text === name) yield node;
}

/** The names in every public interface, each with the public interface that its value has, if any; `Name[]` where it is a list of such. */
export function propNames(): Record<string, Record<string, string>> {
  const ours = [...exported()].flatMap(({ node }) => (ts.isInterfaceDeclaration(node) ? [node] : []));
  const interfaces = new Map([...ours, ...foreignInterfaces()].map((node) => [node.name.text, node]));
  const basesOf = (node: ts.InterfaceDeclaration) => (node.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => type.getText()));
  const ofKit = (name: string): boolean => interfaces.has(name) && basesOf(interfaces.get(name)!).every(ofKit);
  const namesIn = (name: string): Record<string, string> => {
    const node = interfaces.get(name)!;
    const own = node.members.filter(ts.isPropertySignature).map((one) => {
      const type = one.type!.getText();
      return [one.name.getText(), ofKit(type.replace(/\[\]$/, '')) ? type : ''];
    });
    return Object.assign({}, ...basesOf(node).map(namesIn), Object.fromEntries(own));
  };
  return Object.fromEntries(
    ours
      .map((node) => node.name.text)
      .filter(ofKit)
      .sort()
      .map((name) => [name, namesIn(name)]),
  );
}

/** Optional properties of public interfaces that do not say what happens without them, `Interface.property`. */
export function withoutDefault(): string[] {
  return [...exported()].flatMap(({ node }) =>
    ts.isInterfaceDeclaration(node)
      ? node.members
          .filter(ts.isPropertySignature)
          .filter((one) => one.questionToken && docOf(one).fallback === undefined)
          .map((one) => `${node.name.text}.${one.name.getText()}`)
      : [],
  );
}

function* exported(): Generator<{ readonly node: Declaration; readonly folder: string }> {
  const index = parse(join(root, 'lib/index.ts'));
  for (const statement of index.statements) {
    if (!ts.isExportDeclaration(statement) || !statement.exportClause || !ts.isNamedExports(statement.exportClause)) continue;
    const file = join(root, 'lib', `${(statement.moduleSpecifier as ts.StringLiteral).text}.ts`);
    if (!existsSync(file)) throw new Error(`${relative(root, file)} is exported and not there`);
    const folder = dirname(relative(join(root, 'lib'), file)).replace(/^\.$/, '');
    const wanted = new Set(statement.exportClause.elements.map(({ name }) => name.text));
    for (const node of parse(file).statements)
      if ((ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isEnumDeclaration(node)) && wanted.has(node.name!.text)) yield { node, folder };
  }
}

const parse = (file: string) => ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);

function described(node: Declaration, names: ReadonlySet<string>): string {
  const name = node.name!.text;
  const parts = [`### ${name}`, docOf(node, true).text || undefined];
  if (ts.isEnumDeclaration(node))
    parts.push(
      table(
        ['value', 'meaning'],
        node.members.map((member) => [code(member.name.getText()), docOf(member).text]),
      ),
    );
  else {
    const bases = (node.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => linked(type.getText(), names)));
    if (bases.length > 0) parts.push(`Extends ${bases.join(', ')}.`);
    if (ts.isInterfaceDeclaration(node))
      parts.push(
        table(
          ['property', 'type', 'default', 'meaning'],
          node.members.filter(ts.isPropertySignature).map((one) => propertyRow(one, names)),
        ),
      );
    else parts.push(constructorOf(node, names), membersOf(node, names));
  }
  return parts.filter(Boolean).join('\n\n');
}

function propertyRow(node: ts.PropertySignature, names: ReadonlySet<string>): string[] {
  const { text, fallback } = docOf(node);
  const when = fallback === undefined ? (node.questionToken ? 'none' : 'required') : fallback.startsWith('- ') ? fallback.slice(2) : code(fallback);
  return [code(node.name.getText()), linked(node.type!.getText(), names), when, text];
}

function constructorOf(node: ts.ClassDeclaration, names: ReadonlySet<string>): string | undefined {
  const found = node.members.find(ts.isConstructorDeclaration);
  const abstract = isMarked(node, ts.SyntaxKind.AbstractKeyword);
  if (abstract || !found || isMarked(found, ts.SyntaxKind.PrivateKeyword)) return undefined;
  return `${code(`new ${node.name!.text}(${found.parameters.map(({ name }) => name.getText().replace(/^\{.*\}$/s, 'props')).join(', ')})`)}${propsOf(found, names)}`;
}

function propsOf({ parameters }: ts.ConstructorDeclaration, names: ReadonlySet<string>): string {
  const type = parameters[2]?.type?.getText();
  return type && names.has(type) ? ` with [${type}](#${anchor(type)})` : '';
}

function membersOf(node: ts.ClassDeclaration, names: ReadonlySet<string>): string | undefined {
  const inherits = node.heritageClauses?.some(({ types }) => types.some((type) => names.has(type.getText())));
  const rows = node.members.flatMap((member) => {
    const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword].some((kind) => isMarked(member, kind));
    const name = member.name?.getText() ?? '';
    if (hidden || name === '' || name.startsWith('_')) return [];
    if (inherits && docOf(member).text === '') return []; // the base says it
    const before = isMarked(member, ts.SyntaxKind.StaticKeyword) ? `${node.name!.text}.` : '';
    const { text } = docOf(member);
    if (ts.isMethodDeclaration(member)) {
      const list = member.parameters
        .map((one) => `${one.dotDotDotToken ? '...' : ''}${one.name.getText().replace(/^_/, '')}${one.questionToken ? '?' : ''}`)
        .join(', ');
      return [[code(`${before}${name}(${list})`), linked(member.type?.getText() ?? 'void', names), text]];
    }
    if (ts.isPropertyDeclaration(member) || ts.isGetAccessorDeclaration(member)) {
      const optional = ts.isPropertyDeclaration(member) && member.questionToken ? ', where there is one' : '';
      return [[code(before + name), (member.type ? linked(member.type.getText(), names) : kindOf(member)) + optional, text]];
    }
    return [];
  });
  return rows.length === 0 ? undefined : table(['member', 'type', 'meaning'], rows);
}

/** The type of what is initialized with a literal. */
function kindOf(member: ts.PropertyDeclaration | ts.GetAccessorDeclaration): string {
  const value = ts.isPropertyDeclaration(member) ? member.initializer : undefined;
  if (value && (ts.isStringLiteral(value) || ts.isTemplateExpression(value))) return code('string');
  if (value && ts.isNumericLiteral(value)) return code('number');
  if (value?.kind === ts.SyntaxKind.TrueKeyword || value?.kind === ts.SyntaxKind.FalseKeyword) return code('boolean');
  return '';
}

/** The docstring right before a node, and its `@default`. */
function docOf(node: ts.Node, paragraphs = false): Doc {
  const comments = (ts.getLeadingCommentRanges(node.getSourceFile().text, node.getFullStart()) ?? [])
    .map(({ pos, end }) => node.getSourceFile().text.slice(pos, end))
    .filter((text) => text.startsWith('/**'));
  const lines = (comments.at(-1) ?? '')
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim());
  const text = lines.join(paragraphs ? '\n' : ' ').trim();
  const [before = '', ...tags] = text.split(/(?:^|\s)(?=@\w+)/);
  const fallback = tags
    .find((tag) => tag.startsWith('@default'))
    ?.slice('@default'.length)
    .replaceAll('\n', ' ')
    .trim();
  return { text: before.trim(), fallback };
}

const isMarked = (node: ts.Node, kind: ts.SyntaxKind) => ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((one) => one.kind === kind);
const code = (text: string) => `\`${text}\``;
const anchor = (name: string) => name.toLowerCase();
const linked = (type: string, names: ReadonlySet<string>) => {
  const plain = type.replaceAll(/\s+/g, ' ');
  const [, name = '', list = ''] = /^(\w+)(\[\])?$/.exec(plain) ?? [];
  return names.has(name) ? `[${name}](#${anchor(name)})${list && ' list'}` : code(plain);
};
const cell = (text: string) => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim();
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
}

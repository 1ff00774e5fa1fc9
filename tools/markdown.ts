/** What the documentation's Markdown holds that can go stale: links, anchors, commands. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type Node, type NodeType, Parser } from 'commonmark';

const root = join(__dirname, '..');

/** Every page that a reader may come to. */
export function pages(): string[] {
  const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name));
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'examples/README.md', ...below].filter((name) => name.endsWith('.md')).sort();
}

export interface Fence {
  readonly page: string;
  readonly line: number;
  /** Language and whatever stands behind it: `sh aws` → `sh`, `aws`. */
  readonly language: string;
  readonly mark: string;
  readonly text: string;
}

/** The fenced blocks of a page, without their indentation. */
export function fences(page: string): Fence[] {
  return nodesOf(page, 'code_block').flatMap(({ info, literal, sourcepos }) => {
    const [language = '', ...marks] = (info ?? '').split(' ');
    return info === null ? [] : [{ page, line: sourcepos[0][0], language, mark: marks.join(' '), text: (literal ?? '').trimEnd() }];
  });
}

/** What stands between backticks in the text of a page: `docs/tls.md:12`, and the words. */
export function spans(page: string): { readonly place: string; readonly text: string }[] {
  return nodesOf(page, 'code').map((node) => ({ place: `${page}:${lineOf(node)}`, text: node.literal ?? '' }));
}

/** Links of a page that lead nowhere: `docs/tls.md:12 settings.md#tls`. Pages of the web are not looked at. */
export function deadLinks(page: string): string[] {
  return [...nodesOf(page, 'link'), ...nodesOf(page, 'image')]
    .filter(({ destination }) => !/^[a-z]+:/.test(destination ?? '') && !leadsSomewhere(page, destination ?? ''))
    .map((node) => `${page}:${lineOf(node)} ${node.destination}`);
}

function leadsSomewhere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? join(root, page) : resolve(root, dirname(page), decodeURI(path));
  if (!existsSync(file)) return false;
  return anchor === undefined || (file.endsWith('.md') && anchorsOf(relative(root, file)).has(anchor));
}

/** What GitHub makes of the headings: small letters, no punctuation, hyphens for blanks, a number for one that came before. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const heading of nodesOf(page, 'heading')) {
    const slug = textOf(heading)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let name = slug;
    for (let again = 1; anchors.has(name); again++) name = `${slug}-${again}`;
    anchors.add(name);
  }
  return anchors;
}

function nodesOf(page: string, type: NodeType): Node[] {
  return below(new Parser().parse(readFileSync(join(root, page), 'utf8'))).filter((node) => node.type === type);
}

/** A node and all beneath it, in the order of the page. */
function below(node: Node): Node[] {
  const walker = node.walker();
  const found: Node[] = [];
  for (let event = walker.next(); event; event = walker.next()) if (event.entering) found.push(event.node);
  return found;
}

const textOf = (node: Node) =>
  below(node)
    .map(({ literal }) => literal ?? '')
    .join('');

/** Only blocks know their place: the line of the one that the node is in, and the breaks before it. */
function lineOf(node: Node): number {
  let breaks = 0;
  for (let before = node.prev; before; before = before.prev) if (before.type === 'softbreak' || before.type === 'linebreak') breaks++;
  return node.parent?.sourcepos ? node.parent.sourcepos[0][0] + breaks : lineOf(node.parent!);
}

/** What the documentation's Markdown holds that can go stale: links, anchors, commands. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

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
  const found: Fence[] = [];
  let open: { indent: string; info: string; line: number; lines: string[] } | undefined;
  linesOf(page).forEach((text, index) => {
    const [, indent = '', info] = /^(\s*)```(.*)$/.exec(text) ?? [];
    if (info === undefined) open?.lines.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text);
    else if (!open) open = { indent, info: info.trim(), line: index + 1, lines: [] };
    else {
      const [language = '', ...marks] = open.info.split(' ');
      found.push({ page, line: open.line, language, mark: marks.join(' '), text: open.lines.join('\n') });
      open = undefined;
    }
  });
  return found;
}

/** Links of a page that lead nowhere: `docs/tls.md:12 settings.md#tls`. Pages of the web are not looked at. */
export function deadLinks(page: string): string[] {
  return prose(page).flatMap((text, index) =>
    [...text.matchAll(/\]\(([^()\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(page, target))
      .map((target) => `${page}:${index + 1} ${target}`),
  );
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
  for (const text of prose(page)) {
    const [, heading] = /^#{1,6}\s+(.+?)\s*#*$/.exec(text) ?? [];
    if (heading === undefined) continue;
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let name = slug;
    for (let again = 1; anchors.has(name); again++) name = `${slug}-${again}`;
    anchors.add(name);
  }
  return anchors;
}

/** The lines of a page, with code blanked. */
function prose(page: string): string[] {
  let inside = false;
  return linesOf(page).map((text) => {
    if (/^\s*```/.test(text)) {
      inside = !inside;
      return '';
    }
    return inside ? '' : text.replaceAll(/`[^`]*`/g, (span) => (/\]\(/.test(span) ? '' : span));
  });
}

const linesOf = (page: string) => readFileSync(join(root, page), 'utf8').split('\n');

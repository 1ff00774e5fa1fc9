/** What bars somebody from a page, as axe-core sees it. https://github.com/dequelabs/axe-core */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

const AXE = readFileSync(join(process.env['CDK_FTPS_CACHE']!, 'axe-4.14.1/node_modules/axe-core/axe.min.js'), 'utf8');

interface Finding {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

export async function barriersIn(page: Page): Promise<string[]> {
  if (!(await page.evaluate('typeof axe === "object"'))) await page.evaluate(`${AXE};0`);
  const { violations } = (await page.evaluate('axe.run()')) as { violations: Finding[] };
  const isWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
  return [
    ...violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`),
    ...(isWide ? ['It is wider than the window.'] : []),
  ];
}

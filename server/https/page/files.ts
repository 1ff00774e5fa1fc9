/** The page's files, without a build of their own. */
import link from './link.client.js';
import linkPage from './link.html';
import links from './links.client.js';
import script from './page.client.js';
import style from './page.css';
import page from './page.html';
import texts from './texts.client.js';
import uploads from './uploads.client.js';

const SCRIPT = 'text/javascript; charset=utf-8';

const files: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  '/': { type: 'text/html; charset=utf-8', text: page },
  '/page.css': { type: 'text/css; charset=utf-8', text: style },
  '/page.js': { type: SCRIPT, text: script },
  '/uploads.js': { type: SCRIPT, text: uploads },
  '/links.js': { type: SCRIPT, text: links },
  '/link.js': { type: SCRIPT, text: link },
  '/texts.js': { type: SCRIPT, text: texts },
};

/** Nothing from elsewhere is loaded, nothing is run that is not one of these files, and no other page may frame it. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/** The same page for every link: what it is for, its script asks. */
const LINK_PAGE = { type: 'text/html; charset=utf-8', text: linkPage } as const;

export function pageFile(path: string): { readonly type: string; readonly text: string } | undefined {
  if (/^\/l\/[^/]+$/.test(path)) return LINK_PAGE;
  return Object.hasOwn(files, path) ? files[path] : undefined;
}

/** The page's files, without a build of their own. */
import palette from '../../http/palette.css';
import actions from './client/actions.client.js';
import ask from './client/ask.client.js';
import drop from './client/drop.client.js';
import element from './client/element.client.js';
import keys from './client/keys.client.js';
import link from './client/link.client.js';
import links from './client/links.client.js';
import list from './client/list.client.js';
import listed from './client/listed.client.js';
import main from './client/main.client.js';
import paths from './client/paths.client.js';
import question from './client/question.client.js';
import queue from './client/queue.client.js';
import send from './client/send.client.js';
import signIn from './client/sign-in.client.js';
import space from './client/space.client.js';
import texts from './client/texts.client.js';
import transfer from './client/transfer.client.js';
import unfinished from './client/unfinished.client.js';
import uploadRow from './client/upload-row.client.js';
import values from './client/values.client.js';
import visitor from './client/visitor.client.js';
import ways from './client/ways.client.js';
import { framed } from './frame';
import linkBody from './link.html';
import style from './page.css';
import pageBody from './page.html';

interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** By the names that they import each other by, below `/page/`. */
const scripts: Readonly<Record<string, string>> = {
  actions,
  ask,
  drop,
  element,
  keys,
  link,
  links,
  list,
  listed,
  main,
  paths,
  question,
  queue,
  send,
  'sign-in': signIn,
  space,
  texts,
  transfer,
  unfinished,
  'upload-row': uploadRow,
  values,
  visitor,
  ways,
};

const scriptTag = (name: string) => `<script type="module" src="/page/${name}.js"></script>\n`;
const page = framed({ title: 'Files', head: scriptTag('main'), body: pageBody });
/** Whose address is a secret: no machine lists it. */
const linkPage = framed({ title: 'Files', head: `<meta name="robots" content="noindex">\n${scriptTag('link')}`, body: linkBody });

/** By the path of their address, but for the page of a link. */
export const pageFiles: ReadonlyMap<string, PageFile> = new Map([
  ['/', { type: 'text/html; charset=utf-8', text: page }],
  ['/page/page.css', { type: 'text/css; charset=utf-8', text: palette + style }],
  ...Object.entries(scripts).map(([name, text]) => [`/page/${name}.js`, { type: 'text/javascript; charset=utf-8', text }] as const),
]);

/** Nothing from elsewhere is loaded, nothing is run that is not one of these files, and no other page may frame it. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/** The same page for every link: what it is for, its script asks. */
const LINK_PAGE: PageFile = { type: 'text/html; charset=utf-8', text: linkPage };

export function pageFile(path: string): PageFile | undefined {
  if (/^\/l\/[^/]+$/.test(path)) return LINK_PAGE;
  return pageFiles.get(path);
}

/** The console's files: one page, its style and its script, without a build of their own. */
import palette from '../../http/palette.css';
import script from './console.client.js';
import style from './console.css';
import page from './console.html';

const files: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  '/': { type: 'text/html; charset=utf-8', text: page },
  '/console.css': { type: 'text/css; charset=utf-8', text: palette + style },
  '/console.js': { type: 'text/javascript; charset=utf-8', text: script },
};

export function consoleFile(path: string): { readonly type: string; readonly text: string } | undefined {
  return Object.hasOwn(files, path) ? files[path] : undefined;
}

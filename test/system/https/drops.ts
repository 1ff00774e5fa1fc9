/** Files and folders that are dropped on the page. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Page } from 'playwright-core';
import type { BrowserName } from './browsers';

interface Dropped {
  readonly name: string;
  /** Of a file, in base64. */
  readonly content?: string;
  /** Of a folder. */
  readonly children?: readonly Dropped[];
}

// What functions that run in the browser find there.
// biome-ignore lint/suspicious/noExplicitAny: the browser's own classes are none of Node's
type Any = any;
declare const document: Any;
declare const window: Any;

/**
 * Drops what lies under these paths where the list is. Chromium is told to do it, as with a mouse; Firefox has no such order, so that the page is given the
 * event with entries as a real one has them.
 */
export async function drop(browser: BrowserName, page: Page, paths: readonly string[], onto = 'main:not([hidden]) table'): Promise<void> {
  if (browser === 'firefox') return dropAsEvent(page, paths.map(read), onto);
  const box = (await page.locator(onto).boundingBox())!;
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  const [x, y] = [box.x + 30, box.y + Math.min(box.height - 2, 10)];
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await session.send('Input.dispatchDragEvent', { type, x, y, data });
  await session.detach();
  return undefined;
}

function read(path: string): Dropped {
  const name = basename(path);
  if (statSync(path).isDirectory()) return { name, children: readdirSync(path).map((child) => read(join(path, child))) };
  return { name, content: readFileSync(path).toString('base64') };
}

function dropAsEvent(page: Page, dropped: readonly Dropped[], onto: string): Promise<void> {
  return page.evaluate(
    ({ all, selector }) => {
      /** As FileSystemDirectoryReader does: a hundred at a time, and none at the end. */
      const entryOf = (one: Any): Any => {
        if (one.content !== undefined) {
          const bytes = Uint8Array.from(atob(one.content), (letter) => letter.charCodeAt(0));
          return { isFile: true, name: one.name, file: (done: Any) => done(new window.File([bytes], one.name)) };
        }
        return {
          isFile: false,
          name: one.name,
          createReader() {
            let at = 0;
            return {
              readEntries(done: Any) {
                const batch = one.children.slice(at, at + 100).map(entryOf);
                at += 100;
                done(batch);
              },
            };
          },
        };
      };
      const target = document.querySelector(selector);
      for (const type of ['dragover', 'drop']) {
        const event = new window.Event(type, { bubbles: true, cancelable: true });
        event.dataTransfer = { types: ['Files'], items: all.map((one) => ({ webkitGetAsEntry: () => entryOf(one) })) };
        target.dispatchEvent(event);
      }
    },
    { all: dropped as never[], selector: onto },
  );
}

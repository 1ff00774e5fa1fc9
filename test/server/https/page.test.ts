import { pageFile, pageFiles } from '../../../server/https/page/files';
import { type HttpsServed, httpsServed } from './served';

let server: HttpsServed;
beforeAll(async () => {
  server = await httpsServed();
});
afterAll(() => server.close());

const names = [...pageFiles.keys(), '/l/x'];
const all = () => names.map((name) => pageFile(name)!.text).join('\n');

it('comes to everybody, also by a link of another site, with a policy that lets it load nothing but its own files', async () => {
  const client = server.connect();
  for (const name of names) {
    const { status, headers, body } = await client.ask('GET', name, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect([name, status, body.toString()]).toEqual([name, 200, pageFile(name)!.text]);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'strict-transport-security': expect.any(String) });
  }
  expect((await client.ask('GET', '/page.html')).status).toBe(404);
});

it('names nothing that lies elsewhere, writes no markup, and has no style or script of its own in the page', () => {
  expect(all()).not.toMatch(/https?:\/\//);
  expect(all()).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
  expect(pageFiles.get('/')!.text).not.toMatch(/\son\w+=|\sstyle=|<script>|<style>/);
});

it('imports what is there, and has no file that nothing imports', () => {
  const imported = new Set([...all().matchAll(/(?:from|import|src=|href=) ?['"](\/page\/[\w.-]+)['"]/g)].map(([, name]) => name!));
  expect([...imported].sort()).toEqual(names.filter((name) => name.startsWith('/page/')).sort());
});

it('has every text in its catalogue, and no text there that is not used', () => {
  const catalogue = [...pageFiles.get('/page/texts.js')!.text.matchAll(/^ {2}(\w+)[:,]/gm)].map(([, key]) => key!);
  const rest = names
    .filter((name) => name !== '/page/texts.js')
    .map((name) => pageFile(name)!.text)
    .join('\n');
  const used = [...rest.matchAll(/texts\.(\w+)|data-(?:text|label|placeholder)="(\w+)"/g)].map(([, one, other]) => one ?? other!);
  expect([...new Set(used)].filter((key) => key !== 'js').sort()).toEqual([...catalogue].sort());
});

it('shows what turns the reading direction, or is nothing to be seen, and leaves all other scripts as they are', () => {
  const script = pageFiles.get('/page/values.js')!.text.replaceAll(/^export /gm, '');
  const visible = new Function(`${script}; return visible;`)() as (text: string) => string;
  expect(visible('invoice\u202efdp.exe')).toBe('invoice\\u202efdp.exe');
  expect(visible('re\u200bport.pdf \u2066x\u2069 \ufeff')).toBe('re\\u200bport.pdf \\u2066x\\u2069 \\ufeff');
  for (const name of ['דוח.pdf', 'گزارش\u200cها.txt', '👩\u200d💻', 'ünder', '报告']) expect(visible(name)).toBe(name);
});

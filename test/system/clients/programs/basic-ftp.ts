import { createReadStream, readFileSync, statSync } from 'node:fs';
import { Client as BasicFtp } from 'basic-ftp';
import { type Client, everything, type Step } from './client';

async function perform(client: BasicFtp, [name, first, second = '']: Step): Promise<string> {
  switch (name) {
    case 'make-folder':
      await client.send(`MKD ${first}`);
      break;
    case 'list':
      return (await client.list(first)).map((entry) => `${entry.rawModifiedAt} ${entry.size} ${entry.name}\n`).join('');
    case 'upload':
      await client.uploadFrom(first, second);
      break;
    case 'download':
      await client.downloadTo(second, first);
      break;
    case 'resume-download':
      await client.downloadTo(second, first, statSync(second).size);
      break;
    case 'resume-upload':
      await client.appendFrom(createReadStream(first, { start: await client.size(second) }), second);
      break;
    case 'rename':
      await client.rename(first, second);
      break;
    case 'delete':
      await client.remove(first);
      break;
  }
  return '';
}

export const basicFtp: Client = {
  name: 'basic-ftp (Node.js)',
  remark: '',
  version: async () => JSON.parse(readFileSync(require.resolve('basic-ftp/package.json'), 'utf8')).version,
  can: everything,
  cannot: [],
  async run({ mode, version, host, port, ca, user, password }, steps) {
    const client = new BasicFtp(30_000);
    const only = version === '1.2' ? 'TLSv1.2' : 'TLSv1.3';
    try {
      await client.access({
        host,
        port,
        user,
        password,
        secure: mode === 'implicit' ? 'implicit' : true,
        secureOptions: { ca: readFileSync(ca), host, servername: host, minVersion: only, maxVersion: only },
      });
      let output = '';
      for (const step of steps) output += await perform(client, step);
      return { code: 0, output };
    } catch (error) {
      return { code: 1, output: (error as Error).message };
    } finally {
      client.close();
    }
  },
};

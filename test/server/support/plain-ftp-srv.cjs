/**
 * ftp-srv 4.6.3 as it comes, in a process of its own: what test/server/ftps/control/beside-ftp-srv.test.ts compares this server with.
 * usage: node plain-ftp-srv.cjs FOLDER     FOLDER has server.pem, server.key, files/
 */
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { createLogger, stdSerializers } = require('bunyan');
const FtpSrv = require('ftp-srv');

const folder = process.argv[2];
const lowest = 20_000 + (process.pid % 2_000) * 20;
const server = new FtpSrv({
  url: 'ftp://127.0.0.1:0',
  tls: { cert: readFileSync(join(folder, 'server.pem')), key: readFileSync(join(folder, 'server.key')) },
  pasv_url: '127.0.0.1',
  pasv_min: lowest,
  pasv_max: lowest + 9,
  log: createLogger({ name: 'plain', level: 'trace', serializers: stdSerializers, stream: process.stdout }),
});
const passwords = JSON.parse(readFileSync(join(folder, 'passwords.json'), 'utf8'));
server.on('login', ({ username, password }, resolve, reject) => {
  if (username === 'demo' && passwords.includes(password)) resolve({ root: join(folder, 'files') });
  else reject(new Error('Wrong password'));
});
server.on('client-error', () => {});
server.listen().then(() => process.stdout.write(`ready ${server.server.address().port}\n`));

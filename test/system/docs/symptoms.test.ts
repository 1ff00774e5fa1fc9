/** What clients say when something is wrong, provoked; docs/troubleshooting.md has their words, and nothing that nobody has heard. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fences } from '../../../tools/markdown';
import { EICAR } from '../antivirus/clamd';
import { PASSWORD, Room } from './room';

const page = readFileSync(join(__dirname, '../../../docs/troubleshooting.md'), 'utf8');

/** ftplib, connected and encrypted, then these statements; the last line that it says. */
const python = (statements: string, { user = 'partner', port = 2121, host = 'ftps.example.com' } = {}) =>
  `python3 - 2>&1 << 'END' | tail -n 1
import ftplib, os, socket, ssl
def log_in():
    ftps = ftplib.FTP_TLS(context=ssl.create_default_context())
    ftps.connect("${host}", ${port})
    ftps.login("${user}", os.environ["PASSWORD"])
    return ftps
ftps = log_in()
${statements}
END`;
const lftp = (settings: string, address: string) => `lftp -e 'set net:max-retries 1; set net:timeout 5; ${settings}; bye' ${address}`;
const curl = (rest: string, account = `partner:${PASSWORD}`) => `curl -sS --user ${account} ${rest}`;
const closing = (ports: string, command: string) => `nft add rule inet away input tcp dport ${ports} drop; ${command}; nft flush chain inet away input`;

/** Ports of ftps.example.com: 21 and 990 as in production; 2121 with small limits; 2990 the same, implicit; 2122 without its scanner. */
const symptoms: readonly (readonly [says: string, command: string])[] = [
  ['curl: (28) Failed to connect', closing('2121', curl('--connect-timeout 1 --ssl-reqd ftp://ftps.example.com:2121/'))],
  ['curl: (7) Failed to connect', curl('--ssl-reqd ftp://ftps.example.com:2199/')],
  ['wrong version number', curl('ftps://ftps.example.com:21/')],
  ['An unexpected TLS packet was received', lftp('ls', 'ftps://partner@ftps.example.com:21')],
  ['curl: (56) response reading failed', curl('--ssl-reqd ftp://ftps.example.com:2990/')],
  ['curl: (60) SSL certificate problem', `env SSL_CERT_FILE= ${curl('--cacert first.pem --ssl-reqd ftp://ftps.example.com/')}`],
  ['The certificate is NOT trusted', lftp('set ssl:ca-file /dev/null; ls', 'ftp://partner@ftps.example.com')],
  ['CERTIFICATE_VERIFY_FAILED', `env SSL_CERT_FILE=/var/empty ${python('pass')}`],
  ['PKIX path building failed', `env -u JAVA_TOOL_OPTIONS java --class-path /usr/share/java/commons-net.jar Upload.java ${PASSWORD}`],
  ['no alternative certificate subject name matches', curl('--ssl-reqd ftp://localhost/')],
  ['Hostname mismatch', python('pass', { host: 'localhost' })],
  ['alert protocol version', curl('--ssl-reqd --ciphers DEFAULT@SECLEVEL=0 --tls-max 1.1 ftp://ftps.example.com/')],
  ['alert handshake failure', curl('--ssl-reqd --ciphers AES256-SHA --tls-max 1.2 ftp://ftps.example.com/')],
  ['530 Encrypt first: send AUTH TLS', lftp('ls', 'ftp://ftps.example.com')],
  ['curl: (67) Access denied: 530', curl('ftp://ftps.example.com/')],
  ['curl: (67) Access denied: 530', curl('--ssl-reqd ftp://ftps.example.com/', 'partner:wrong')],
  ['530 Login incorrect.', lftp('ls', 'ftp://partner:wrong@ftps.example.com')],
  ['421 Too many sessions of this account.', python('log_in()', { user: 'single' })],
  ['curl: (28) Operation timed out', closing('51000-51001', curl('--max-time 3 --ssl-reqd ftp://ftps.example.com:2121/'))],
  ['522 ', python('ftps.prot_p()\ntry:\n    ftps.nlst()\nexcept OSError:\n    ftps.voidresp()', { user: 'strict' })],
  ['521 Data connections are encrypted here', python('ftps.nlst()')],
  ['534 Data connections are encrypted here', python('ftps.prot_c()')],
  [
    '426 The upload was cut',
    python('ftps.prot_p()\ndata = ftps.transfercmd("STOR cut")\ndata.sendall(b"x")\nsocket.socket.shutdown(data, socket.SHUT_RDWR)\nftps.voidresp()'),
  ],
  ['curl: (18) server did not report OK, got 451', curl('--ssl-reqd -T report.csv ftp://ftps.example.com:2122/')],
  ['curl: (18) server did not report OK, got 550', curl('--ssl-reqd -T infected ftp://ftps.example.com/')],
  ['curl: (70) Exceeded storage allocation', curl('--ssl-reqd -T report.csv ftp://ftps.example.com:2121/', `full:${PASSWORD}`)],
  ['552 The quota of 10 bytes is used up.', lftp('put report.csv', `ftp://full:${PASSWORD}@ftps.example.com:2121`)],
  ['550 This account may not upload.', lftp('put report.csv', `ftp://reader:${PASSWORD}@ftps.example.com:2121`)],
  ['curl: (78) The file does not exist', curl('--ssl-reqd ftp://ftps.example.com/not-there')],
  ['curl: (9) Server denied you to change to the given directory', curl('--ssl-reqd ftp://ftps.example.com/no/such/file')],
];

/** Rows that are provoked elsewhere, or need what is not here. */
const elsewhere = ['425 All passive ports are waiting', 'an upload is gone after `226`'];

let room: Room;
let folder: string;
beforeAll(async () => {
  room = await Room.open('server');
  folder = room.fresh();
  const [, java] = fences('docs/partners.md')
    .filter(({ language }) => language === 'java')
    .map(({ text }) => text)
    .concat('')
    .reverse();
  const read = (name: string) => JSON.parse(readFileSync(join(room.folder, 'etc', name), 'utf8'));
  const [partner] = read('accounts.json').accounts;
  const accounts = [
    partner,
    { ...partner, user: 'single', maxSessions: 1 },
    { ...partner, user: 'strict', dataTlsReuse: 'required' },
    { ...partner, user: 'full', home: '/full', quota: { bytes: 10 } },
    { ...partner, user: 'reader', permissions: ['read', 'list'] },
  ];
  const base = { ...read('server.json'), firewall: { mode: 'off' }, admin: {}, https: undefined, identity: [{ kind: 'file', file: 'accounts.json' }] };
  const listener = (mode: string, port: number) => ({ mode, host: '0.0.0.0', port });
  const files: Record<string, string | Buffer> = {
    'Upload.java': java!,
    infected: EICAR,
    'report.csv': 'day,amount\n1,2\n',
    'accounts.json': JSON.stringify({ accounts }),
    'limited.json': JSON.stringify({
      ...base,
      listeners: [listener('explicit', 2121), listener('implicit', 2990)],
      passive: { ports: '51000-51001' },
      antivirus: { kind: 'off' },
      audit: { destination: 'limited-audit.json' },
      tls: { ...base.tls, handshakeSeconds: 5 },
    }),
    'unscanned.json': JSON.stringify({
      ...base,
      listeners: [listener('explicit', 2122)],
      passive: { ports: '51002-51003' },
      antivirus: { kind: 'clamd', socket: 'nobody' },
      audit: { destination: 'unscanned-audit.json' },
    }),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const { code, output } = await room.run(
    `nft 'add table inet away; add chain inet away input { type filter hook input priority 0; }'
     cp ../first.pem .
     for name in limited unscanned; do
       : > $name.log
       ftps serve --config $name.json > $name.log 2>&1 & pid=$!
       grep -q -m1 'firewall off' < <(exec tail -n +1 -f --pid=$pid $name.log 2> tail.log)
     done`,
    { cwd: folder },
  );
  expect(`${code} ${output}`).toBe('0 ');
});
afterAll(() => room?.leave());

it.each(symptoms)('%s', async (says, command) => {
  const { output } = await room.run(`set +e\n${command}`, { cwd: folder, input: `${PASSWORD}\n` });
  expect(output).toContain(says);
  expect(page).toContain(says);
});

it('every row of the guide has words that were heard', () => {
  const rows = page.split('\n').filter((line) => /^\| (?!the client says|---)/.test(line));
  const heard = [...symptoms.map(([says]) => says), ...elsewhere];
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter((row) => !heard.some((says) => row.includes(says)))).toEqual([]);
});

/** The commands of the documentation, run as they are printed: each guide from its first to its last, in a clone as a new user has it. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fence, fences, pages, spans } from '../../../tools/markdown';
import { settled, terminal } from '../../../tools/pictures/terminal';
import { EICAR } from '../antivirus/clamd';
import { expectPicture } from '../support/pictures';
import { PASSWORD, Room } from './room';

const root = join(__dirname, '../../..');

/** What a page lets its reader fill in, and a command that says what that is here. Nothing else of what is printed is changed. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  PREFIX: 'echo ftps/staging/accounts/',
  KEY: 'cat kms-key',
  FUNCTION: 'echo rotation',
  WORKGROUP: 'echo ftps-audit',
  BUCKET: 'echo audit-archive',
  SERVER: 'cat transfer-server',
  SESSION: "curl -s http://127.0.0.1:9990/sessions | node -p 'JSON.parse(require(`fs`).readFileSync(0))[0].id'",
  ID: "ftps quarantine list --config /etc/ftps/server.json --json | node -p 'JSON.parse(require(`fs`).readFileSync(0))[0].id'",
};

/** Commands marked `ci`, which are long or install: what runs them, and words to find there. */
const CI: Readonly<Record<string, readonly [file: string, words: string]>> = {
  'npm start': ['test/system/docs/room.sh', 'npm start'],
  'npm test': ['.ci/run', 'npm test'],
  'npm test -- --json --outputFile=test-results.json': ['.ci/run', 'npm test -- --json --outputFile=test-results.json'],
  "npx cdk synth --quiet 'prod/**'": ['tools/start.mjs', "'synth', '--quiet'"],
  'npx ftps evidence --environment prod --tests test-results.json': ['.ci/run', 'ftps.js evidence --environment prod --tests test-results.json'],
  'npm run trial -- --host HOST --zone-id ZONE --zone-name NAME --clients CIDR': ['test/system/trial/trial.test.ts', 'await trial(options()'],
  'npx ftps preflight --environment prod': ['test/system/preflight/preflight.test.ts', "'preflight'"],
  'npm install ./cdk-ftps-0.1.0.tgz aws-cdk-lib constructs': ['test/system/package/package.test.ts', "'aws-cdk-lib', 'constructs', 'tsx'"],
  'npm install --save-dev aws-cdk tsx': ['test/system/package/package.test.ts', "'aws-cdk-lib', 'constructs', 'tsx'"],
  'npm ci': ['tools/ensure-installed.mjs', "spawnSync('npm', ['ci'"],
  'npm run build': ['test/system/run.sh', 'npm run --silent build'],
  'sha256sum dist/image/ftps.js dist/lambda/*/index.js': ['test/system/package/package.test.ts', "'dist/lambda/certificate-rotation/index.js'"],
  "npx cdk deploy --app 'npx tsx app.mts'": ['test/system/deploy/deploy.test.ts', "'deploy', '--app'"],
};

const RUN = ['', 'served', 'server', 'aws', 'server runs'];
const all = pages().flatMap(fences);
const runnable = all.filter(({ language, mark }) => ['sh', 'console', 'python', 'java'].includes(language) && RUN.includes(mark));
const guides = [...new Set(runnable.map(({ page }) => page))];

let room: Room;
beforeAll(async () => {
  room = await Room.open('everything');
});
afterAll(() => room?.leave());

/** Lines of a fence as commands: without comments, continued lines as one. */
const commandsOf = ({ text }: Fence): string[] =>
  text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) =>
      line
        .replace(/\s+#.*$/, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter(Boolean);

/** The same line by line, whatever its numbers, times and what stands for `…` are. */
const likeness = (line: string) =>
  new RegExp(
    `^${line
      .trimEnd()
      .split(/(…|[\d,.:]*\d)/)
      .map((part, index) => (index % 2 === 0 ? part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&') : part === '…' ? '.*' : '[\\d,.:]*\\d'))
      .join('')}\\s*$`,
  );

async function filledIn(text: string): Promise<string> {
  let filled = text;
  for (const [word, command] of Object.entries(PLACEHOLDERS)) {
    if (!new RegExp(`\\b${word}\\b`).test(filled)) continue;
    const { code, output } = await room.run(command);
    expect(`${word}: ${code} ${output}`).toMatch(/: 0 \S+\n$/);
    filled = filled.replaceAll(new RegExp(`\\b${word}\\b`, 'g'), output.trim());
  }
  return filled;
}

/** Runs a fence as its reader would, and says what went wrong. */
async function follow(fence: Fence, cwd: string): Promise<string | undefined> {
  const { language, mark, text } = fence;
  const input = `${PASSWORD}\n`;
  const place = `${fence.page}:${fence.line}`;
  if (language === 'console') return followed(fence, cwd);
  let script = await filledIn(text);
  if (language === 'python') script = `python3 - << 'END_OF_FENCE'\n${script}\nEND_OF_FENCE`;
  if (language === 'java') {
    const [, name] = /class (\w+)/.exec(text)!;
    writeFileSync(join(cwd, `${name}.java`), text);
    script = `java --class-path /usr/share/java/commons-net.jar ${name}.java ${PASSWORD}`;
  }
  // What stays until it is stopped has a network of its own, because the room has one of it already.
  if (mark === 'server runs')
    script = `: > said; unshare --net --mount bash -euc 'mount -t tmpfs none /run; mkdir /run/ftps-firewall; ${script} > said 2>&1 & pid=$!; read -r _ < <(exec tail -n +1 -f --pid=$pid said); kill $pid; wait $pid'`;
  const { code, output } = await room.run(script, { cwd, input });
  return code === 0 ? undefined : `${place}: ended with ${code}\n${output}`;
}

/** Each command of a console, and whether it says what is printed behind it. */
async function followed({ page, line, text }: Fence, cwd: string): Promise<string | undefined> {
  let status = 0;
  for (const [, command = '', printed = ''] of text.matchAll(/^\$ (.*)\n?((?:(?!\$ ).*(?:\n|$))*)/gm)) {
    const { code, output } = await room.run(`set +e; (exit ${status})\n${await filledIn(command)}`, { cwd });
    status = code;
    const [expected, said] = [printed, output].map((lines) => lines.trimEnd().split('\n')) as [string[], string[]];
    if (expected.length !== said.length || !expected.every((one, index) => likeness(one).test(said[index]!)))
      return `${page}:${line}: ${command}\nprinted:\n${printed}\nsaid:\n${output}`;
  }
  return undefined;
}

/** What a page takes for there already. */
const beforehand: Readonly<Record<string, (cwd: string) => Promise<void>>> = {
  'docs/antivirus.md': async (cwd) => {
    writeFileSync(join(cwd, 'infected.bin'), EICAR);
    for (const name of ['first', 'second'])
      expect((await room.run(`curl -sS --ssl-reqd -n -T infected.bin ftp://ftps.example.com/${name} || true`, { cwd })).output).toContain('550');
  },
  'docs/doctor.md': async (cwd) => {
    writeFileSync(join(cwd, 'password.txt'), `${PASSWORD}\n`);
    copyFileSync(join(room.folder, 'ca.pem'), join(cwd, 'root.pem'));
  },
  'docs/logs.md': async () => {
    // It was rotated, and somebody changed a line.
    const script =
      'cd /var/log/ftps; head -n 4 audit.json > audit-20260501T120000.000Z.json; tail -n +5 audit.json | sed \'2s/"severity_id":[0-9]*/"severity_id":9/\' > rest; mv rest audit.json';
    expect((await room.run(script)).code).toBe(0);
  },
  'docs/operating.md': async (cwd) => {
    // A partner who stays.
    writeFileSync(
      join(cwd, 'stays.py'),
      'import ftplib, ssl, time\nftps = ftplib.FTP_TLS(context=ssl.create_default_context())\nftps.connect("ftps.example.com")\nprint(ftps.welcome, flush=True)\ntime.sleep(600)\n',
    );
    expect((await room.run(': > stays.log; python3 stays.py > stays.log 2>&1 & grep -q -m1 220 < <(exec tail -n +1 -f stays.log)', { cwd })).code).toBe(0);
  },
  'docs/partners.md': async (cwd) => writeFileSync(join(cwd, 'report.csv'), 'day,amount\n1,2\n'),
};

it.each(guides)('%s can be followed', async (page) => {
  const cwd = room.fresh();
  await beforehand[page]?.(cwd);
  for (const fence of runnable.filter((one) => one.page === page)) expect(await follow(fence, cwd)).toBeUndefined();
});

it('the lines that npm start prints can be pasted', async () => {
  const printed = readFileSync(join(room.folder, 'laptop.log'), 'utf8').matchAll(/^(?:curl|lftp)? +((?:curl|lftp) .+)$/gm);
  const lines = [...printed].map(([, line]) => line);
  expect(lines.map((line) => line!.split(' ')[0])).toEqual(['curl', 'curl', 'curl', 'curl', 'lftp', 'lftp', 'curl', 'curl']);
  const { code, output } = await room.run(lines.join('\n'), { cwd: join(room.folder, 'clone') });
  expect(`${code} ${code === 0 ? '' : output}`).toBe('0 ');
});

it('npm start, until the first of these lines was pasted, looks as in its picture', async () => {
  const uploaded = /^Bundling[\s\S]*?Connection closed: quit.*$/m;
  const log = join(room.folder, 'laptop.log');
  expect(await room.run(`grep -q -m1 'Connection closed: quit' < <(exec tail -n +1 -f ${log})`)).toEqual({ code: 0, output: '' });
  const [printed] = uploaded.exec(readFileSync(log, 'utf8'))!;
  const label = 'npm start in a terminal: what staging and prod would open and cost, lines to paste, and the audit of a first upload';
  expectPicture('terminal-start.svg', terminal(label, `$ npm start\n${settled(printed)}`));
});

it('what is long is run by something else', () => {
  const commands = all.filter(({ language, mark }) => language === 'sh' && mark === 'ci').flatMap(commandsOf);
  const unknown = commands.filter((command) => {
    const [file, words] = CI[command] ?? ['', ''];
    return file === '' || !existsSync(join(root, file)) || !readFileSync(join(root, file), 'utf8').includes(words);
  });
  expect(unknown).toEqual([]);
});

it('what needs an account has commands and options that the AWS CLI knows', async () => {
  const inText = pages()
    .flatMap(spans)
    .filter(({ text }) => /^aws \w+ \w/.test(text));
  const commands = all
    .filter(({ language, mark }) => language === 'sh' && mark === 'account')
    .flatMap((fence) => commandsOf(fence).map((text) => ({ place: `${fence.page}:${fence.line}`, text })));
  expect(commands.filter(({ text }) => !text.startsWith('aws '))).toEqual([]);
  for (const { place, text } of [...commands, ...inText]) {
    // With this option it reads the command line and asks nobody; what the CLI makes of several calls has `help` alone.
    const ofSeveral = /^aws (s3 \w+|cloudformation deploy)/.exec(text);
    const { code, output } = await room.run(ofSeveral ? `${ofSeveral[0]} help` : `${text} --generate-cli-skeleton input`);
    expect(`${place}: ${code} ${code === 0 ? '' : output}`).toBe(`${place}: 0 `);
  }
}, 120_000);

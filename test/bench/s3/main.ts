/**
 * `npm run bench:s3`: this server on S3 beside rclone, as a server and by itself, and the AWS CLI; all with versitygw, behind a proxy that makes it
 * as slow to answer as S3 is. Needs Debian, root, and what `npm run test:system -- storage clients` installs.
 */
import { existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { anyHash } from '../hash-cost';
import { inside } from '../inside';
import { replaceFigures } from '../report';
import { startServer } from '../server';
import { MIB, makeWorkplace, PASSWORD, type Scale } from '../workplace';
import { oursOnDisk, oursOnS3, type Programs, rcloneServer } from './contenders';
import { Gateway } from './gateway';
import { AwsCli, CELL_SECONDS, type Contender, fill, Rclone, rows, ThroughServer } from './rows';
import { S3Results, show, table } from './table';

const HELP = `npm run bench:s3 -- [options]
  --quick             files of 256 MiB instead of 1 GiB
  --only <ids>        rows by id, for example up-30,down-30,small-8
  --contenders <list> by name, for example "cdk-ftps,rclone copy"
  --seconds <number>  what is not begun by then is not measured (default: 480)
  --requests          tells the requests of each row by kind
  --write             puts the table into docs/performance.md`;

const size = (isQuick: boolean): Scale => ({
  rounds: 1,
  bigFile: (isQuick ? 256 : 1024) * MIB,
  parallelFile: (isQuick ? 128 : 256) * MIB,
  smallFiles: 500,
  loginSeconds: 0,
  entries: 0,
  idle: 0,
  sharing: 0,
});

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      contenders: { type: 'string' },
      seconds: { type: 'string', default: '480' },
      requests: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (options.help) return console.log(HELP);
  const cache = process.env['CDK_FTPS_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'cdk-ftps');
  const venv = process.env['CDK_FTPS_VENV'] ?? join(cache, 'venv');
  const versitygw = join(cache, 'versitygw-v1.8.0');
  const programs: Programs = { rclone: join(venv, 'bin/rclone'), aws: join(venv, 'bin/aws') };
  if (process.getuid?.() !== 0 || ![versitygw, programs.rclone].every((one) => existsSync(one)))
    throw new Error('the bench needs root on Debian, and what `npm run test:system -- storage clients` installs');
  if (process.env['FTPS_BENCH_INSIDE'] === undefined) {
    process.exitCode = await inside([process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
    return;
  }
  const scale = size(options.quick);
  const place = await makeWorkplace(scale, { packages: '', python: '', hash: anyHash(PASSWORD) });
  const gateway = await Gateway.start(place.folder, versitygw);
  try {
    fill(place, gateway);
    const begin: Record<string, () => Promise<Contender>> = {
      'cdk-ftps': async () => new ThroughServer(await startServer(oursOnS3(gateway.endpoint), place), place),
      'cdk-ftps on disk': async () => new ThroughServer(await startServer(oursOnDisk, place), place),
      'rclone serve ftp': async () => new ThroughServer(await startServer(rcloneServer(gateway.endpoint, programs), place), place),
      'rclone copy': async () => new Rclone(place, gateway, programs),
      'AWS CLI': async () => new AwsCli(place, gateway, programs),
    };
    if (!existsSync(programs.aws)) delete begin['AWS CLI'];
    const names = Object.keys(begin).filter((name) => !options.contenders || options.contenders.split(',').includes(name));
    const chosen = rows.filter(({ id }) => !options.only || options.only.split(',').includes(id));
    const running = new Map<string, Contender>();
    for (const name of names) running.set(name, await begin[name]!());
    const results = new S3Results();
    const ends = performance.now() + Number(options.seconds) * 1000;
    for (const row of chosen) {
      for (const name of names) {
        if (name === 'cdk-ftps on disk' && !row.onDisk) continue;
        const contender = running.get(name)!;
        const tell = (words: string, at = performance.now()) =>
          console.log(`${row.title.padEnd(46)} ${name.padEnd(22)} ${((performance.now() - at) / 1000).toFixed(1).padStart(5)} s  ${words}`);
        const why = contender.without[row.id] ?? (performance.now() > ends ? 'no time was left in this run' : undefined);
        if (why !== undefined) {
          results.fail(row.id, name, why);
          tell(why);
          continue;
        }
        await gateway.setDelay(row.delay);
        const at = performance.now();
        try {
          const figures = await inTime(row.measure(contender, place, gateway));
          if (!figures) continue;
          results.add(row.id, name, figures);
          tell(Object.entries(figures).map(told).join('   '), at);
        } catch (error) {
          results.fail(row.id, name, (error as Error).message);
          tell((error as Error).message, at);
          // What it may still be at would be measured with what comes next.
          await contender.stop();
          running.set(name, await begin[name]!());
        }
        const requests = await gateway.requests();
        if (options.requests) console.log(`  ${Object.entries(requests).map(told).join(', ')}`);
      }
    }
    for (const contender of running.values()) await contender.stop();
    const text = table(chosen, names, results, options.quick);
    console.log(`\n${text}`);
    if (options.write) replaceFigures(join(__dirname, '../../../docs/performance.md'), text, 's3');
  } finally {
    await gateway.stop();
    rmSync(place.folder, { recursive: true, force: true });
  }
}

const told = ([what, value]: readonly [string, number]) => `${show(value)} ${what}`;

/** Fails when it takes longer than a cell may: a session of a server's may wait for ever. */
async function inTime<T>(measuring: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${CELL_SECONDS} seconds`)), CELL_SECONDS * 1000);
  });
  try {
    return await Promise.race([measuring, late]);
  } finally {
    clearTimeout(timer);
    measuring.catch(() => {}); // what fails after that is told already
  }
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});

/**
 * `npm run bench:s3`: this server on S3 beside rclone, as a server and by itself, and the AWS CLI; all with versitygw, behind a proxy that makes it
 * as slow to answer as S3 is. Needs Debian, root, and what `npm run test:system -- storage clients` installs.
 */
import { existsSync, rmSync } from 'node:fs';
import { cpus, homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { anyHash } from '../hash-cost';
import { inside } from '../inside';
import { replaceFigures } from '../report';
import { startServer } from '../server';
import { MIB, makeWorkplace, PASSWORD, type Scale } from '../workplace';
import { oursOnDisk, oursOnS3, type Programs, rcloneServer } from './contenders';
import { Gateway, type Requests } from './gateway';
import { AwsCli, type Contender, fill, Rclone, rows, ThroughServer } from './rows';

const HELP = `npm run bench:s3 -- [options]
  --quick             files of 256 MiB instead of 1 GiB
  --only <ids>        rows by id, for example up-30,down-30,small-8
  --contenders <list> by name, for example "cdk-ftps,rclone copy"
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
    const cells = new Map<string, string>();
    for (const row of chosen) {
      for (const [name, contender] of running) {
        if (name === 'cdk-ftps on disk' && !row.onDisk) continue;
        await gateway.setDelay(row.delay);
        let words: string;
        const at = performance.now();
        try {
          const figures = await row.measure(contender, place, gateway);
          if (!figures) continue;
          for (const [unit, value] of Object.entries(figures)) cells.set(`${row.id} ${unit} ${name}`, show(value));
          words = Object.entries(figures)
            .map(([unit, value]) => `${show(value)} ${unit}`)
            .join('   ');
        } catch (error) {
          words = (error as Error).message;
        }
        console.log(`${row.title.padEnd(46)} ${name.padEnd(22)} ${((performance.now() - at) / 1000).toFixed(1).padStart(5)} s  ${words}`);
        const requests = await gateway.requests();
        if (options.requests) console.log(`  ${told(requests)}`);
      }
    }
    for (const contender of running.values()) await contender.stop();
    const text = table(chosen, names, cells, options.quick);
    console.log(`\n${text}`);
    if (options.write) replaceFigures(join(__dirname, '../../../docs/performance.md'), text, 's3');
  } finally {
    await gateway.stop();
    rmSync(place.folder, { recursive: true, force: true });
  }
}

const show = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
const told = (requests: Requests) =>
  Object.entries(requests)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');

function table(chosen: typeof rows, names: readonly string[], cells: ReadonlyMap<string, string>, isQuick: boolean): string {
  const lines = chosen.flatMap(({ id, title }) => {
    const units = [...new Set([...cells.keys()].filter((key) => key.startsWith(`${id} `)).map((key) => key.slice(id.length + 1, key.length)))]
      .map((key) => names.reduce((unit, name) => (unit.endsWith(` ${name}`) ? unit.slice(0, -name.length - 1) : unit), key))
      .filter((unit, index, all) => all.indexOf(unit) === index);
    return units.map((unit) => `| ${title} | ${unit} | ${names.map((name) => cells.get(`${id} ${unit} ${name}`) ?? '–').join(' | ')} |`);
  });
  return [
    `Measured on ${cpus().length} × ${cpus()[0]?.model.trim()}, Node.js ${process.versions.node}, versitygw 1.8.0 on tmpfs behind the delay of each row, plain HTTP on loopback, rclone serve ftp without TLS; one round${isQuick ? ' of the quick run (files of 256 MiB)' : ', files of 1 GiB'}.`,
    '',
    `| | unit | ${names.join(' | ')} |`,
    `| --- | --- |${' --: |'.repeat(names.length)}`,
    ...lines,
  ].join('\n');
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});

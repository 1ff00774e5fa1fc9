/** `ftps as2`: partners before the first message, a file sent by hand, and what is known of a message. */
import { randomBytes, type X509Certificate } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { basename, extname, join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { Command } from 'commander';
import { accountOf } from '../../server/as2/agreement';
import { Keys } from '../../server/as2/keys';
import { MOST_PAYLOADS, writeAs2Name } from '../../server/as2/message';
import { Records } from '../../server/as2/records';
import { writeTransferId } from '../../server/as2/restart/headers';
import { isSendable, LIST } from '../../server/as2/sending/outbox';
import type { Audit } from '../../server/audit/event';
import { type As2Config, type As2Partner, daysLeftOf, type ServerConfig } from '../../server/config';
import { openStorage } from '../../server/files/storage/open';
import { StorageError, type Volume } from '../../server/files/storage/storage';
import type { PasswordChecks } from '../../server/identity/hashing/checks';
import { openIdentity } from '../../server/identity/open';
import { printable } from '../../server/text/printable';
import { addressFinding } from '../doctor/as2';
import { type Finding, ok, problem } from '../doctor/finding';
import { say } from '../terminal/say';
import { readConfig } from './config';
import { exitCodes, UsageError } from './exit';

interface Flags {
  readonly config: string;
}

/** A certificate that ends before is told of. Days. */
const SOON = 30;
const CHECK = 'as2';
/** Read at a time. Bytes. */
const PIECE = 1024 * 1024;
const REACH_MS = 10_000;
const noPassword = () => Promise.reject(new Error('no password is looked at'));
const NO_PASSWORDS: PasswordChecks = { check: noPassword, spend: noPassword, close: async () => {} };
/** What these commands do leaves no line: they look, or put a file where the server finds it. */
const silent: Audit = { failed: false, record: () => {}, flush: async () => {}, close: async () => {} };

export function as2Command(): Command {
  const as2 = new Command('as2').description('Looks after partners and messages of AS2.');
  const withConfig = (command: Command) => command.requiredOption('--config <file>', 'configuration file of the server');

  withConfig(as2.command('identity'))
    .description('Prints what partners need to know of us: name, address, and certificates in PEM, the next one too where there is one.')
    .action(async ({ config: file }: Flags) => {
      const { settings } = await as2In(file);
      const keys = await Keys.open(settings, silent);
      try {
        const { as2Id, url } = settings.identity;
        say(`${printable(as2Id)}\n${url === undefined ? '' : `${printable(url)}\n`}`);
        say(told('Signs, and is encrypted for', keys.signing.certificate));
        if (keys.next) say(told('Signs after the next change', keys.next.certificate));
        for (const { certificate } of settings.identity.decryption.length > 0 ? keys.decryption : []) say(told('Is encrypted for', certificate));
      } finally {
        keys.close();
      }
    });

  as2
    .command('change-keys')
    .description(
      'Has the next key of AS2 sign from now on, where the one in use may be known to somebody. Partners that do not know its certificate refuse what it signs.',
    )
    .requiredOption('--function <name>', 'name or ARN of the Lambda, the output As2KeysFunction of the stack')
    .action(async ({ function: FunctionName }: { readonly function: string }) => {
      const { Payload, FunctionError } = await new LambdaClient({}).send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ change: 'now' }) }));
      const answer = JSON.parse(Buffer.from(Payload ?? []).toString() || '{}') as {
        readonly Certificate?: string;
        readonly Next?: string;
        readonly errorMessage?: string;
      };
      if (FunctionError) throw new Error(answer.errorMessage ?? `the Lambda failed (${FunctionError})`);
      say(`Signs now: ${answer.Certificate}\nSigns after the next change: ${answer.Next}\n`);
    });

  const partner = as2.command('partner').description('Partners of AS2.');
  withConfig(partner.command('check [partner]'))
    .description('Looks whether keys, certificates and account of a partner, or of each, are in order, and whether its address answers. Sends no message.')
    .action(async (name: string | undefined, { config: file }: Flags) => {
      const { config, settings } = await as2In(file);
      const partners = name === undefined ? settings.partners : [partnerNamed(settings, name)];
      const keys = await Keys.open(settings, silent);
      try {
        for (const one of partners) {
          const findings = await findingsOf(config, keys, one);
          const wrong = findings.filter(({ level }) => level !== 'ok');
          if (wrong.some(({ level }) => level === 'problem')) process.exitCode = exitCodes.notInOrder;
          const said = findings.map(({ text, advice }) => (advice === undefined ? text : `${text}. ${advice}`));
          const lines = wrong.length === 0 ? [['in order', ...said].join('; ')] : said;
          say(lines.map((line) => `${printable(`${one.as2Id}  ${line}`)}\n`).join(''));
        }
      } finally {
        keys.close();
      }
    });

  withConfig(as2.command('send <partner> <files...>'))
    .description('Puts a file into the outbox of a partner, from where the server sends it. Several are one message, in this order.')
    .option('--folder <name>', 'name of the folder of several files in the outbox, and later among what was sent; by default that of the first file')
    .action(async (name: string, files: string[], { config: configFile, folder }: Flags & { readonly folder?: string }) => {
      const { config, settings } = await as2In(configFile);
      const one = partnerNamed(settings, name);
      if (one.url === undefined) throw new UsageError(`${name} has no url; nothing is sent to it`);
      const isSeveral = files.length > 1 || folder !== undefined;
      await checkFiles(files, isSeveral);
      const inFolder = isSeveral ? (folder ?? basename(files[0]!, extname(files[0]!))) : undefined;
      if (inFolder !== undefined && !isSendable(inFolder)) throw new UsageError(`--folder: ${JSON.stringify(inFolder)} is no name of a folder that is sent`);
      const path = await putInto(config, one, files, inFolder);
      const what = isSeveral ? `${files.length} files are` : `${basename(files[0]!)} is`;
      const goes = isSeveral ? 'go as one message' : 'goes';
      say(printable(`${what} ${path} of ${one.account} now, and ${goes} to ${name} within ${settings.outboxSeconds} seconds if the server runs.`));
      say('\n');
    });

  withConfig(as2.command('show <message-id>'))
    .description('Prints what is known of a message, received or sent, without its receipt and content.')
    .option('--to <folder>', 'writes record, receipt and message, as they were exchanged, into this folder')
    .action(async (messageId: string, { config: file, to }: Flags & { readonly to?: string }) => {
      const { config, settings } = await as2In(file);
      const storage = openStorage(config);
      try {
        const records = new Records(storage.notes, settings.keepDays);
        const id = messageId.startsWith('<') ? messageId : `<${messageId}>`;
        for (const { as2Id } of settings.partners)
          for (const direction of ['received', 'sent'] as const) {
            const record = await records.read(direction, as2Id, id);
            if (!record) continue;
            const { receipt, ...rest } = record;
            say(
              `${JSON.stringify({ ...rest, ...(receipt ? { receipt: { messageId: receipt.messageId, deliverTo: receipt.deliverTo } } : {}) }, undefined, 2)}\n`,
            );
            if (to === undefined) return;
            await mkdir(to, { recursive: true });
            await writeFile(join(to, 'record.json'), `${JSON.stringify(record, undefined, 2)}\n`);
            if (receipt) await writeFile(join(to, 'receipt'), withHeaders(receipt.headers, Buffer.from(receipt.body, 'base64')));
            const message = await records.readMessage(record);
            if (message) await writeFile(join(to, 'message'), message);
            return;
          }
        throw new UsageError(`no message ${id} is known, or none any more`);
      } finally {
        await storage.close();
      }
    });
  return as2;
}

function told(what: string, certificate: X509Certificate): string {
  return `\n${what}: ${certificate.fingerprint256}, until ${certificate.validTo}\n${certificate.toString()}`;
}

async function as2In(file: string): Promise<{ readonly config: ServerConfig; readonly settings: As2Config }> {
  const config = await readConfig(file);
  if (!config.as2) throw new UsageError(`${file} has no block "as2": AS2 is off`);
  return { config, settings: config.as2 };
}

function partnerNamed({ partners }: As2Config, name: string): As2Partner {
  const found = partners.find(({ as2Id }) => as2Id === name);
  if (!found) throw new UsageError(`there is no partner "${name}"; there is ${partners.map(({ as2Id }) => `"${as2Id}"`).join(', ') || 'none'}`);
  return found;
}

async function findingsOf(config: ServerConfig, keys: Keys, partner: As2Partner): Promise<Finding[]> {
  const { signers, encryption } = keys.of(partner);
  const findings: Finding[] = [];
  for (const [what, certificate] of [
    ['our certificate for signing', keys.signing.certificate],
    ...keys.decryption.map((one) => ['our certificate for decryption', one.certificate] as const),
    ...signers.map((one) => ['certificate of the partner', one] as const),
    ...(encryption ? [['certificate that is encrypted for', encryption] as const] : []),
  ] as const) {
    const days = Math.floor(daysLeftOf(certificate));
    const named = `${what} ${certificate.subject.replaceAll('\n', ', ')} (serial number ${certificate.serialNumber})`;
    if (days < SOON) findings.push(problem(CHECK, `${named} ${days < 0 ? 'is out of date' : `ends in ${days} days`}`));
  }
  const identity = await openIdentity(config, silent, NO_PASSWORDS);
  try {
    await accountOf({ identity }, partner);
  } catch (error) {
    findings.push(problem(CHECK, (error as Error).message));
  } finally {
    await identity.close();
  }
  if (partner.url !== undefined) findings.push(await reached(partner.url, partner, config.as2!.identity.as2Id));
  return findings;
}

/** What its address answers to a request that is no message. Who can go on with a message says how much of it has come: nothing, of one that nobody has sent. */
async function reached(url: string, { as2Id, tlsCa, restart }: As2Partner, own: string): Promise<Finding> {
  const ca = tlsCa === undefined || tlsCa.startsWith('-----BEGIN ') ? tlsCa : await readFile(tlsCa, 'utf8');
  const headers = restart.send
    ? { 'AS2-Version': '1.2', 'AS2-From': writeAs2Name(own), 'AS2-To': writeAs2Name(as2Id), Etag: writeTransferId(randomBytes(16).toString('hex')) }
    : {};
  return new Promise((resolve) => {
    const target = new URL(url);
    const options = { method: 'HEAD', timeout: REACH_MS, agent: false as const, headers };
    const asked = target.protocol === 'https:' ? tlsRequest(target, { ...options, ca }) : plainRequest(target, options);
    asked.on('response', ({ statusCode = 0, headers: answered }) => {
      asked.destroy();
      const { allow, location, 'content-length': length } = answered;
      const found = addressFinding(url, { status: statusCode, headers: { ...(allow && { allow }), ...(location && { location }) } });
      if (!restart.send || found.level !== 'ok') resolve(found);
      else if (statusCode === 200 && length === '0') resolve(ok(CHECK, `${url} says how much of a message has come, and long ones go on where they were cut`));
      else resolve(problem(CHECK, `restart.send is on, and ${url} does not say how much of a message has come (${statusCode}); long ones go as a whole`));
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${REACH_MS / 1000} seconds`)));
    asked.on('error', (error) => resolve(problem(CHECK, `${url} can't be reached: ${error.message}`)));
    asked.end();
  });
}

/** Before anything is written. */
async function checkFiles(files: readonly string[], isSeveral: boolean): Promise<void> {
  if (files.length > MOST_PAYLOADS) throw new UsageError(`${files.length} files; a message has ${MOST_PAYLOADS} at most`);
  const names = files.map((file) => basename(file));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`two files are named ${twice}; a message has each name once`);
  for (const file of files) {
    const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`${file}: can't be read (${error.code})`);
    });
    if (!found.isFile()) throw new UsageError(`${file}: is no file`);
    if (!isSendable(basename(file)) || (isSeveral && basename(file) === LIST))
      throw new UsageError(`${file}: is no name of a file that is sent; give it another one`);
  }
}

/** Whole or not at all, as an upload. Of several files the list comes last: without it a folder is no message. Answers with the path that is sent. */
async function putInto(config: ServerConfig, partner: As2Partner, files: readonly string[], folder: string | undefined): Promise<string> {
  const identity = await openIdentity(config, silent, NO_PASSWORDS);
  const storage = openStorage(config);
  try {
    const volume = await storage.open(await accountOf({ identity }, partner));
    const parts = partner.outbox.split('/').slice(1);
    for (let depth = 1; depth <= parts.length; depth += 1)
      await volume.mkdir(`/${parts.slice(0, depth).join('/')}`).catch((error: unknown) => {
        if (!(error instanceof StorageError) || error.code !== 'exists') throw error;
      });
    const path = `${partner.outbox}/${folder ?? basename(files[0]!)}`;
    const isTaken = (error: unknown) => {
      if (error instanceof StorageError && error.code === 'exists')
        throw new UsageError(
          `${path} of ${partner.account} is there already and waits to be sent; ${folder === undefined ? 'give the file another name' : 'give --folder another name'}, or wait until that has gone`,
        );
      throw error;
    };
    if (folder === undefined) {
      await write(volume, path, createReadStream(files[0]!, { highWaterMark: PIECE })).catch(isTaken);
      return path;
    }
    await volume.mkdir(path).catch(isTaken);
    const written: string[] = [];
    try {
      for (const file of files) {
        await write(volume, `${path}/${basename(file)}`, createReadStream(file, { highWaterMark: PIECE }));
        written.push(`${path}/${basename(file)}`);
      }
      await write(volume, `${path}/${LIST}`, [Buffer.from(files.map((file) => `${basename(file)}\n`).join(''))]);
    } catch (error) {
      for (const one of written) await volume.remove(one).catch(() => {}); // without its list nobody sends it
      await volume.rmdir(path).catch(() => {});
      throw error;
    }
    return path;
  } finally {
    await storage.close();
    await identity.close();
  }
}

async function write(volume: Volume, path: string, content: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
  const target = await volume.openWrite(path, { kind: 'create' });
  try {
    for await (const chunk of content) await target.write([chunk]);
  } catch (error) {
    await target.abort();
    throw error;
  }
  await target.commit();
}

function withHeaders(headers: Readonly<Record<string, string>>, body: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(
      Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join(''),
    ),
    Buffer.from('\r\n'),
    body,
  ]);
}

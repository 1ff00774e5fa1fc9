/** `ftps as2`: partners before the first message, a file sent by hand, and what is known of a message. */
import { randomBytes, type X509Certificate } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { basename, join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { Command } from 'commander';
import { accountOf } from '../../server/as2/agreement';
import { Keys } from '../../server/as2/keys';
import { writeAs2Name } from '../../server/as2/message';
import { Records } from '../../server/as2/records';
import { writeTransferId } from '../../server/as2/restart/headers';
import type { Audit } from '../../server/audit/event';
import { type As2Config, type As2Partner, daysLeftOf, type ServerConfig } from '../../server/config';
import { openStorage } from '../../server/files/storage/open';
import { StorageError } from '../../server/files/storage/storage';
import type { PasswordChecks } from '../../server/identity/hashing/checks';
import { openIdentity } from '../../server/identity/open';
import { printable } from '../../server/text/printable';
import { say } from '../terminal/say';
import { readConfig } from './config';
import { exitCodes, UsageError } from './exit';

interface Flags {
  readonly config: string;
}

/** A certificate that ends before is told of. Days. */
const SOON = 30;
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
      let isInOrder = true;
      try {
        for (const one of partners) {
          const problems = await problemsOf(config, keys, one);
          isInOrder &&= problems.length === 0;
          say(problems.length === 0 ? `${printable(one.as2Id)}  in order\n` : problems.map((problem) => `${printable(`${one.as2Id}  ${problem}`)}\n`).join(''));
        }
      } finally {
        keys.close();
      }
      if (!isInOrder) process.exitCode = exitCodes.notInOrder;
    });

  withConfig(as2.command('send <partner> <file>'))
    .description('Puts a file into the outbox of a partner, from where the server sends it.')
    .action(async (name: string, file: string, { config: configFile }: Flags) => {
      const { config, settings } = await as2In(configFile);
      const one = partnerNamed(settings, name);
      if (one.url === undefined) throw new UsageError(`${name} has no url; nothing is sent to it`);
      await stat(file).catch((error: NodeJS.ErrnoException) => {
        throw new UsageError(`${file}: can't be read (${error.code})`);
      });
      const path = await putInto(config, one, file);
      say(printable(`${basename(file)} is ${path} of ${one.account} now, and goes to ${name} within ${settings.outboxSeconds} seconds if the server runs.`));
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

async function problemsOf(config: ServerConfig, keys: Keys, partner: As2Partner): Promise<string[]> {
  const { signers, encryption } = keys.of(partner);
  const problems: string[] = [];
  for (const [what, certificate] of [
    ['our certificate for signing', keys.signing.certificate],
    ...keys.decryption.map((one) => ['our certificate for decryption', one.certificate] as const),
    ...signers.map((one) => ['certificate of the partner', one] as const),
    ...(encryption ? [['certificate that is encrypted for', encryption] as const] : []),
  ] as const) {
    const days = Math.floor(daysLeftOf(certificate));
    if (days < SOON) problems.push(`${what} ${certificate.subject.replaceAll('\n', ', ')} ${days < 0 ? 'is out of date' : `ends in ${days} days`}`);
  }
  const identity = await openIdentity(config, silent, NO_PASSWORDS);
  try {
    await accountOf({ identity }, partner);
  } catch (error) {
    problems.push((error as Error).message);
  } finally {
    await identity.close();
  }
  if (partner.url !== undefined) problems.push(...(await unreachable(partner.url, partner, config.as2!.identity.as2Id)));
  return problems;
}

/** Whatever is answered shows that somebody is there. Who can go on with a message says how much of it has come: nothing, of one that nobody has sent. */
async function unreachable(url: string, { as2Id, tlsCa, restart }: As2Partner, own: string): Promise<string[]> {
  const ca = tlsCa === undefined || tlsCa.startsWith('-----BEGIN ') ? tlsCa : await readFile(tlsCa, 'utf8');
  const headers = restart.send
    ? { 'AS2-Version': '1.2', 'AS2-From': writeAs2Name(own), 'AS2-To': writeAs2Name(as2Id), Etag: writeTransferId(randomBytes(16).toString('hex')) }
    : {};
  return new Promise((resolve) => {
    const target = new URL(url);
    const options = { method: 'HEAD', timeout: REACH_MS, agent: false as const, headers };
    const asked = target.protocol === 'https:' ? tlsRequest(target, { ...options, ca }) : plainRequest(target, options);
    asked.on('response', (response) => {
      response.resume();
      asked.destroy();
      const goesOn = response.statusCode === 200 && response.headers['content-length'] === '0';
      resolve(
        restart.send && !goesOn
          ? [`restart.send is on, and ${url} does not say how much of a message has come (${response.statusCode}); long ones go as a whole`]
          : [],
      );
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${REACH_MS / 1000} seconds`)));
    asked.on('error', (error) => resolve([`${url} can't be reached: ${error.message}`]));
    asked.end();
  });
}

/** Whole or not at all, as an upload. */
async function putInto(config: ServerConfig, partner: As2Partner, file: string): Promise<string> {
  const identity = await openIdentity(config, silent, NO_PASSWORDS);
  const storage = openStorage(config);
  try {
    const volume = await storage.open(await accountOf({ identity }, partner));
    const parts = partner.outbox.split('/').slice(1);
    for (let depth = 1; depth <= parts.length; depth += 1)
      await volume.mkdir(`/${parts.slice(0, depth).join('/')}`).catch((error: unknown) => {
        if (!(error instanceof StorageError) || error.code !== 'exists') throw error;
      });
    const path = `${partner.outbox}/${basename(file)}`;
    const target = await volume.openWrite(path, { kind: 'create' }).catch((error: unknown) => {
      if (error instanceof StorageError && error.code === 'exists')
        throw new UsageError(`${path} of ${partner.account} is there already and waits to be sent; give the file another name, or wait until that has gone`);
      throw error;
    });
    try {
      for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) await target.write([chunk as Buffer]);
    } catch (error) {
      await target.abort();
      throw error;
    }
    await target.commit();
    return path;
  } finally {
    await storage.close();
    await identity.close();
  }
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

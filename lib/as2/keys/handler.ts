/**
 * The Lambda that makes the keys of AS2 when there are none, changes them when their time has come, and tells their certificates: run by CloudFormation,
 * once a day, and with `{"change": "now"}` by whoever fears that a key is known. Neither an answer nor a log ever has a private key in it.
 */
import { X509Certificate } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { daysLeftOf } from '../../../server/config';
import { type Attributes, answerCloudFormation, type CloudFormationRequest, isCloudFormation } from '../../functions/cloudformation';
import { changesAt, goOn, type HeldKeys, type Rotation } from './held';
import { KeySecret } from './key-secret';
import { makePair } from './make-pair';
import { fingerprintOf, Published } from './published';

interface Settings extends Rotation {
  readonly secretId: string;
  /** Whether keys are made here; else somebody else writes them. */
  readonly makes: boolean;
  readonly as2Id: string;
  readonly parameters: string;
  readonly namespace: string;
  readonly dimension: string;
}

type Event = CloudFormationRequest | { readonly 'detail-type'?: 'Scheduled Event'; readonly change?: 'now' };

const DAY_MS = 86_400_000;
const logger = new Logger({ serviceName: 'ftps-as2-keys' });

export async function handler(event: Event): Promise<Attributes | undefined> {
  const settings = settingsOf(process.env);
  if (!isCloudFormation(event)) return told(await run({ ...settings, now: event.change === 'now' }));
  await answerCloudFormation(event, async () => {
    if (event.RequestType !== 'Delete') return told(await run(settings));
    // What is deleted is the word of them: the keys stay.
    await new Published(settings.parameters).forget();
    return undefined;
  });
  return undefined;
}

async function run(settings: Settings): Promise<HeldKeys> {
  const secret = new KeySecret(settings.secretId);
  const { version, keys: before } = await secret.read();
  if (settings.makes) {
    // A certificate lasts while it is the next one, while it signs, and while what was encrypted for it can be decrypted.
    const validityDays = settings.changeDays === 0 ? FOR_EVER_DAYS : 2 * (settings.changeDays + settings.announceDays) + settings.keepDays;
    const after = await goOn(before, settings, () => makePair(settings.as2Id, validityDays));
    if (after !== before) {
      await secret.write(after, { after: version });
      logger.info('keys of AS2 were written', {
        secret: secret.id,
        certificate: fingerprintOf(after.certificate),
        next: fingerprintOf(after.next?.certificate),
      });
    }
  }
  const { keys } = await secret.read();
  if (!keys) throw new Error(`as2Keys: the secret ${secret.id} does not exist or is empty`);
  await new Published(settings.parameters).tell(keys);
  report(daysLeft(keys, settings), settings);
  return keys;
}

/** Where nothing changes by itself; longer is taken by no partner that keeps to common rules. */
const FOR_EVER_DAYS = 3_650;

/** Until partners need another certificate: the next key signs then, or the one in use is out of date. */
function daysLeft(keys: HeldKeys, rotation: Rotation): number {
  const ends = daysLeftOf(new X509Certificate(keys.certificate));
  const change = changesAt(keys, rotation);
  return Math.floor(change ? Math.min(ends, (change.getTime() - Date.now()) / DAY_MS) : ends);
}

function told(keys: HeldKeys): Attributes {
  return { Certificate: fingerprintOf(keys.certificate), Next: fingerprintOf(keys.next?.certificate) };
}

/** CloudWatch user guide, "Embedded metric format". */
function report(value: number, { namespace, dimension }: Settings): void {
  const name = 'As2KeyDaysLeft';
  const _aws = { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [['Keys']], Metrics: [{ Name: name }] }] };
  process.stdout.write(`${JSON.stringify({ _aws, Keys: dimension, [name]: value })}\n`);
}

function settingsOf(env: NodeJS.ProcessEnv): Settings {
  const { SECRET_ID = '', MAKES, AS2_ID = '', PARAMETERS = '', CHANGE_DAYS, ANNOUNCE_DAYS, KEEP_DAYS, METRIC_NAMESPACE = '', METRIC_KEYS = '' } = env;
  return {
    secretId: SECRET_ID,
    makes: MAKES === 'true',
    as2Id: AS2_ID,
    parameters: PARAMETERS,
    changeDays: Number(CHANGE_DAYS),
    announceDays: Number(ANNOUNCE_DAYS),
    keepDays: Number(KEEP_DAYS),
    namespace: METRIC_NAMESPACE,
    dimension: METRIC_KEYS,
  };
}

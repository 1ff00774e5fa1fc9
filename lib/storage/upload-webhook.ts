/** Webhooks: endpoints outside of AWS that are told of every upload that became visible, by signed messages. */
import { type Duration, Token } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Problem, ServerConfigInput } from '../../server/config';
import { caProblems } from '../authorities';
import type { StorageSettings } from './file-storage';

/**
 * An endpoint that is told of every upload that became visible, at least once, by POST of what docs/upload-released.schema.json describes, signed as Standard
 * Webhooks 1 has it. The instances reach it on the port that its address names.
 */
export interface UploadWebhook {
  /** By which the audit and what waits on the instances know it: small letters, digits and hyphens, 40 at most. Under another name it is another endpoint. */
  readonly name: string;
  /** Where it is: `https://erp.example.com/uploads`, without a name or password in it. Redirects are not followed. */
  readonly url: string;
  /**
   * Secrets by which it knows the service, each `{"secret": "whsec_…"}`: `whsec_` and Base64 of 24 to 64 bytes. One, or two while one takes the place of
   * another, of which each message has a signature. The instances may read these and no other; a new value is taken up within a minute. Where a secret has a
   * key of its own, name that too: `Secret.fromSecretAttributes` with `encryptionKey`.
   */
  readonly signingSecrets: ISecret[];
  /**
   * Private networks in which it may be, in CIDR form. Without them it is reached at addresses of the internet alone, whatever its name leads to.
   * @default - none
   */
  readonly networks?: string[];
  /**
   * Authorities of its certificate, in PEM.
   * @default - the well-known ones
   */
  readonly ca?: string;
  /**
   * An endpoint that has not answered by then is asked again later.
   * @default Duration.seconds(15)
   */
  readonly requestTimeout?: Duration;
  /**
   * A message that was not taken for that long is given up, with a line in the audit and an alarm.
   * @default Duration.days(3)
   */
  readonly giveUpAfter?: Duration;
}

type WebhookInput = NonNullable<NonNullable<ServerConfigInput['afterRelease']>['webhooks']>[number];

/** What the server is told of them. */
export function webhookSettings(webhooks: readonly UploadWebhook[]): WebhookInput[] {
  return webhooks.map(({ name, url, signingSecrets, networks, ca, requestTimeout, giveUpAfter }) => ({
    name,
    url,
    secrets: (signingSecrets ?? []).map(({ secretArn }) => ({ kind: 'secret' as const, secretId: secretArn })),
    networks,
    ca,
    requestSeconds: requestTimeout?.toSeconds(),
    giveUpSeconds: giveUpAfter?.toSeconds(),
  }));
}

/** What only the kit knows; everything else is checked with the server's settings. */
export function webhookProblems(webhooks: readonly UploadWebhook[], { storage }: StorageSettings): Problem[] {
  if (webhooks.length > 0 && storage['release'] === 'guardduty')
    return [
      {
        key: 'webhooks',
        message:
          'are sent by the servers, and here a Lambda lets uploads become visible once GuardDuty has scanned them; give onUploadReleased an API destination of EventBridge as its target, or have the instances scan (malwareProtection: false)',
      },
    ];
  // JavaScript lets pass what is missing.
  return webhooks.flatMap(({ url = '', signingSecrets = [], ca }, index) => [
    ...caProblems(ca, `webhooks[${index}].ca`),
    ...(Token.isUnresolved(url) || /^https:/.test(url) ? [] : [{ key: `webhooks[${index}].url`, message: `"${url}" is not encrypted; write https://` }]),
    ...(signingSecrets.length === 1 || signingSecrets.length === 2
      ? []
      : [
          {
            key: `webhooks[${index}].signingSecrets`,
            message: `are ${signingSecrets.length}; give one, or two while one takes the place of another`,
          },
        ]),
  ]);
}

/** The prop that a key of the server's settings below `afterRelease` stands for. */
export function webhookProp(key: string): string {
  return key
    .replace(/^afterRelease\.webhooks\b/, 'webhooks')
    .replace(/^(webhooks\[\d+\])\.secrets\b/, '$1.signingSecrets')
    .replace(/^(webhooks\[\d+\])\.requestSeconds$/, '$1.requestTimeout')
    .replace(/^(webhooks\[\d+\])\.giveUpSeconds$/, '$1.giveUpAfter');
}

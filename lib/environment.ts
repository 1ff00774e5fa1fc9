/** An environment is made of what all share and of what is its own, and checked before anything is made of it. */
import { Duration } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { environmentProblems, sharedProblems } from './environment/check';
import { merged } from './environment/merged';
import { blockProblems, ifSo, refuse } from './environment/problems';
import type { FtpsEnvironmentOptions, FtpsEnvironmentSettings } from './environment-settings';

/** Environments made of what they share and what is their own; `server` and `tags` are merged key by key. */
export class FtpsEnvironment {
  /**
   * Production: two instances at least, protected, a year of unchangeable archive (PCI DSS 4.0, 10.5.1), three months of it searchable
   * at once. An Error names the setting that falls short.
   */
  public static production(shared: FtpsEnvironmentOptions, own: FtpsEnvironmentSettings): FtpsEnvironmentSettings {
    const settings = FtpsEnvironment.of(shared, own);
    const archiveDays = settings.archiveRetention?.toDays() ?? 365;
    refuse(settings.name, [
      ...ifSo((settings.instances ?? 2) < 2, 'instances', `${settings.instances} leaves nobody to serve while it is replaced; production needs 2 or more`),
      ...ifSo(settings.protect === false, 'protect', 'is false; production is protected against deletion'),
      ...ifSo(archiveDays < 365, 'archiveRetention', `${archiveDays} days are fewer than the year that PCI DSS 10.5.1 asks for`),
      ...ifSo(
        (settings.logRetention ?? RetentionDays.ONE_YEAR) < RetentionDays.THREE_MONTHS,
        'logRetention',
        `${settings.logRetention} days are fewer than the three months that PCI DSS 10.5.1 asks to be searchable; write RetentionDays.THREE_MONTHS or more`,
      ),
    ]);
    return settings;
  }

  /** A place to try things: one small instance, a month of logs, no archive, deletable. Each can be set otherwise. */
  public static staging(shared: FtpsEnvironmentOptions, own: FtpsEnvironmentSettings): FtpsEnvironmentSettings {
    const small: FtpsEnvironmentOptions = {
      instances: 1,
      instanceType: new InstanceType('t4g.small'),
      logRetention: RetentionDays.ONE_MONTH,
      archiveRetention: Duration.days(0),
      protect: false,
      reserveConcurrency: false,
    };
    refuse(nameOf(own), sharedProblems(shared));
    return FtpsEnvironment.of(merged(small, shared), own);
  }

  /** Any other environment. An Error names every key that is missing, unknown or of the wrong kind. */
  public static of(shared: FtpsEnvironmentOptions, own: FtpsEnvironmentSettings): FtpsEnvironmentSettings {
    refuse(nameOf(own), [...sharedProblems(shared), ...blockProblems('own', own)]);
    const settings = merged(shared, own);
    FtpsEnvironment.check(settings);
    return settings;
  }

  /** Throws an Error that names every key that is missing, unknown or of the wrong kind. What the keys mean together, the constructs check. */
  public static check(settings: FtpsEnvironmentSettings): void {
    refuse(nameOf(settings), blockProblems('settings', settings));
    refuse(nameOf(settings), environmentProblems(settings));
  }

  private constructor() {}
}

function nameOf(settings: FtpsEnvironmentSettings | undefined): string {
  const name: unknown = settings?.name;
  return typeof name === 'string' && name !== '' ? name : '(without a name)';
}

/** What staging and prod share. */
import { Schedule } from 'aws-cdk-lib/aws-events';
import type { FtpsEnvironmentOptions } from '../../lib';

export const base: FtpsEnvironmentOptions = {
  patchSchedule: Schedule.cron({ minute: '0', hour: '3', weekDay: 'sun' }),
  tags: { team: 'file-transfer' },
};

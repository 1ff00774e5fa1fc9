/** What staging and prod share. */
import type { FtpsEnvironmentOptions } from '../../lib';

export const base: FtpsEnvironmentOptions = {
  patchSchedule: 'cron(0 3 ? * sun *)',
  tags: { team: 'file-transfer' },
};

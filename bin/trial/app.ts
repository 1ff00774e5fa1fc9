/** The staging environment under a throw-away name, as `npm run trial` deploys it; what is its own comes from the environment variables that the trial sets. */
import { App } from 'aws-cdk-lib';
import { FtpsStage } from '../../lib';
import { staging } from '../environments/staging';

const told = (name: string) => {
  const value = process.env[`TRIAL_${name}`];
  if (!value) throw new Error(`TRIAL_${name} is not set; run npm run trial`);
  return value;
};

const name = told('NAME');
const settings = {
  ...staging,
  name,
  domainName: told('HOST'),
  hostedZoneId: told('ZONE_ID'),
  zoneName: told('ZONE_NAME'),
  clientCidrs: told('CLIENTS').split(','),
};
new FtpsStage(new App(), name, { settings });

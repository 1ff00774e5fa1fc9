/** The staging environment as `bin/cdk-ftps.ts` stamps it, in a zone of the account that it is deployed to. */
import { App } from 'aws-cdk-lib';
import { staging } from '../../../bin/environments/staging';
import { FtpsStage } from '../../../lib';

new FtpsStage(new App(), staging.name, { settings: { ...staging, hostedZoneId: process.env['ZONE_ID'] ?? staging.hostedZoneId } });

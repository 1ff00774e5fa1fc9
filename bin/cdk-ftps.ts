/** The CDK app: each environment is stamped from its settings. `npx cdk list`, `npx cdk deploy 'prod/**'`. */
import { App, Validations } from 'aws-cdk-lib';
import { FtpsStage } from '../lib';
import { packs } from './compliance/packs';
import { prod } from './environments/prod';
import { staging } from './environments/staging';

const app = new App();
for (const settings of [staging, prod]) new FtpsStage(app, settings.name, { settings });
Validations.of(app).addPlugins(...packs(app));

/** The CDK app of the pipeline; it brings both environments with it. `npx cdk deploy --app "npx tsx bin/cdk-ftps-pipeline.ts" ftps-pipeline` */
import { App, Validations } from 'aws-cdk-lib';
import { FtpsPipeline } from '../lib';
import { packs } from './compliance/packs';
import { pipeline } from './environments/pipeline';

const app = new App();
new FtpsPipeline(app, 'ftps-pipeline', pipeline);
Validations.of(app).addPlugins(...packs(app));

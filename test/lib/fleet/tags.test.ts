/** Tags that instances can't have, because they read their own tags from their metadata. */
import { App } from 'aws-cdk-lib';
import { FtpsEnvironment, FtpsStage } from '../../../lib';

const synthesized = (tags: Record<string, string>) => {
  const app = new App();
  const own = { name: 'tagged', domainName: 'ftps.example.com', hostedZoneId: 'Z0', zoneName: 'example.com', clientCidrs: ['203.0.113.0/24'] };
  new FtpsStage(app, 'tagged', { settings: FtpsEnvironment.staging({ tags }, own) });
  return app.synth();
};

it.each(['cost centre', 'team/files', '_index', 'prüfung'])('refuses %s at synthesis', (key) => {
  expect(() => synthesized({ [key]: 'x' })).toThrow(`"${key}" can't be a tag of an instance`);
});

it('takes what metadata and every other service take', () => {
  expect(() => synthesized({ 'aZ0+-=._:@': 'any value / at all' })).not.toThrow();
});

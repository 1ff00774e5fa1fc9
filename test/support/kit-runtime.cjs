/**
 * The CDK is loaded once in each of jest's processes. Jest loads everything anew for every test file, and the CDK's modules, of which nothing changes between
 * them, were half of what the kit's tests took.
 */
const { dirname, join } = require('node:path');
const Runtime = require('./runtime.cjs').default;

const SHARED = /^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/;

// The rules that the CDK brings along take seconds. They are asked once for each environment, by `npm start` and by `npm run test:system -- templates`.
process.env.CDK_VALIDATION = 'false';
// The server and the Lambdas are looked at where they were built, and not copied into the assembly of every app.
process.env.CDK_CONTEXT_JSON = JSON.stringify({ 'aws:cdk:disable-asset-staging': true, 'aws:cdk:version-reporting': false });
// Where in the code each resource was made and each finding accepted, which no test asks for, took a tenth of the time.
require(join(dirname(require.resolve('aws-cdk-lib/package.json')), 'core/lib/private/stack-trace.js')).captureStackTrace = () => [];

exports.__esModule = true;
exports.default = class extends Runtime {
  requireModuleOrMock(from, moduleName) {
    return SHARED.test(moduleName) ? require(require.resolve(moduleName, { paths: [from] })) : super.requireModuleOrMock(from, moduleName);
  }
};

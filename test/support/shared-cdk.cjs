/**
 * The CDK is loaded once in each of jest's processes. Jest loads everything anew for every test file, and the CDK's modules, of which nothing changes between
 * them, were half of what the kit's tests took.
 */
const Runtime = require('jest-runtime').default;

const SHARED = /^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/;

// The rules that the CDK brings along take seconds. They are asked once for each environment, by `npm start` and by `npm run test:system -- templates`.
process.env.CDK_VALIDATION = 'false';
// The CDK takes a stack trace for every resource, and jest asks for a hundred frames.
Error.stackTraceLimit = 10;

module.exports = {
  __esModule: true,
  default: class extends Runtime {
    requireModuleOrMock(from, moduleName) {
      return SHARED.test(moduleName) ? require(require.resolve(moduleName, { paths: [from] })) : super.requireModuleOrMock(from, moduleName);
    }
  },
};

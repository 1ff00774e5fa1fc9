/**
 * The rules that the CDK brings along take seconds to load, in every test file anew. They are asked once for each environment, by `npm start`
 * and by `npm run test:system -- templates`.
 */
process.env.CDK_VALIDATION = 'false';

/** The CDK takes a stack trace for every resource; a tenth of each test went into the hundred frames that jest asks for. */
Error.stackTraceLimit = 10;

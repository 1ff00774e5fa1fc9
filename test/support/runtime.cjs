/**
 * Each test file has modules of its own, but what they are compiled into is kept for all files of one of jest's processes: compiling the same modules anew
 * for every file, and running them until they are fast, was a third of what the tests took. That goes because they share a realm (environment.cjs).
 */
const { compileFunction } = require('node:vm');
const Runtime = require('jest-runtime').default;

/** What a module's function is called with, in jest's order. */
const PARAMETERS = ['module', 'exports', 'require', '__dirname', '__filename', 'jest'];

/** By the file's name: what it was compiled from, and what to. */
const compiled = new Map();

function compile(source, filename) {
  const known = compiled.get(filename);
  if (known?.source === source) return known.run;
  const run = compileFunction(source, PARAMETERS, { filename });
  compiled.set(filename, { source, run });
  return run;
}

exports.__esModule = true;
exports.default = class extends Runtime {
  constructor(...parts) {
    super(...parts);
    const [, environment] = parts;
    // Null where the environment is gone.
    this.executor.compile = (source, filename) => (environment.global ? compile(source, filename) : null);
  }
};

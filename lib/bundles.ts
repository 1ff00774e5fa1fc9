/** Where the built server and Lambda bundles lie, in a checkout and in the installed package alike. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';

function packageRoot(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'cdk-ftps') return folder;
    if (folder === dirname(folder)) throw new Error('cdk-ftps: package.json not found above the constructs; reinstall the package');
  }
}

function built(...path: string[]): string {
  const full = join(packageRoot(), 'dist', ...path);
  if (!existsSync(full)) throw new Error(`cdk-ftps: ${join('dist', ...path)} is missing; in a checkout, run "npm run build" first`);
  return full;
}

/** The folder whose content goes to the instances: `ftps.js` and its checksum. */
export function serverBundleFolder(): string {
  return dirname(built('image', 'ftps.js'));
}

/** The code of a Lambda; `certificate-rotation` is lib/certificate/rotation/handler.ts. Its entry point is `index.handler`. */
export function lambdaCode(name: string): Code {
  return Code.fromAsset(dirname(built('lambda', name, 'index.js')));
}

import { join } from 'node:path';
import { run } from '../../support/served';
import { type Client, everything, scripted, versionOf } from './client';

const script = (name: string) => join(__dirname, name);
const python = `${process.env.CDK_FTPS_VENV ?? ''}/bin/python`;

export const ftplib: Client = {
  name: 'Python ftplib',
  remark: 'With the session of the control connection given to each data connection; ftplib by itself resumes none.',
  version: () => versionOf(python, '--version'),
  can: everything,
  cannot: [],
  run: scripted(python, script('ftplib_steps.py')),
};

export const libcurl: Client = {
  name: 'libcurl (PycURL)',
  remark: '',
  version: async () => /libcurl\/([\d.]+)/.exec((await run(python, ['-c', 'import pycurl; print(pycurl.version)'])).output)?.[1] ?? '?',
  can: everything,
  cannot: [],
  run: scripted(python, script('libcurl_steps.py')),
};

export const netFtp: Client = {
  name: 'Perl Net::FTP',
  remark: '',
  version: () => versionOf('perl', '-MNet::FTP', '-e', 'print Net::FTP->VERSION, ".0"'),
  can: everything,
  cannot: [],
  run: scripted('perl', script('net_ftp_steps.pl')),
};

/** Both releases that setup.sh brings. */
export const commonsNets: readonly Client[] = ['3.6', '3.13.0'].map((version) => ({
  name: `Apache Commons Net ${version} (Java)`,
  remark: 'Resumes only where a port comes again, under TLS 1.2.',
  version: async () => version,
  can: everything,
  cannot: [],
  run: ({ folder: _, ...target }, steps) =>
    run(
      'java',
      [
        '-Xshare:auto',
        '-XX:TieredStopAtLevel=1',
        '-cp',
        `${process.env.CDK_FTPS_CACHE}/commons-net-${version}.jar:${process.env.CDK_FTPS_CACHE}/commons-io-2.20.0.jar`,
        script('CommonsNet.java'),
      ],
      [...Object.entries(target).map(([key, value]) => `${key}=${value}`), ...steps.map((step) => step.join('\t'))].join('\n'),
    ),
}));

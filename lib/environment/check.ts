/** What is wrong with the settings of an environment, looked at before anything is made. What the keys mean together, the constructs check. */
import type { Problem } from '../../server/config';
import { EndpointKind, type FtpsEnvironmentOptions, type FtpsEnvironmentSettings, StorageKind } from '../environment-settings';
import type { As2Settings } from '../protocols/as2-settings';
import type { FtpsServerSettings } from '../server-settings';
import { FtpsStageParts } from '../stage-parts';
import { FileThroughput } from '../storage/file-storage';
import { accountProblems } from './account-and-tags';
import { as2AgreementKeys, as2Keys, as2PartnerKeys, environmentKeys, httpsKeys, linkKeys, serverKeys, sftpKeys, userCertificateKeys } from './keys';
import { isBlock, isOfKind } from './kinds';
import { blockProblems, ifSo, problemsOf } from './problems';

export function environmentProblems(settings: FtpsEnvironmentSettings): Problem[] {
  return [
    ...problemsOf('', settings, environmentKeys, ['name', 'domainName', 'clientCidrs'], givenByParts),
    ...ifSo(settings.hostedZoneId === undefined && settings.zoneName !== undefined, 'hostedZoneId', 'is missing; it belongs to zoneName'),
    ...ifSo(settings.zoneName === undefined && settings.hostedZoneId !== undefined, 'zoneName', 'is missing; it belongs to hostedZoneId'),
    ...serverProblems(settings.server),
    ...problemsOf('env.', settings.env, { account: 'text', region: 'text' }, []),
    ...accountProblems(settings),
    ...ifSo(
      typeof settings.endpoint === 'string' && !Object.values(EndpointKind).includes(settings.endpoint),
      'endpoint',
      `"${settings.endpoint}" is no kind of endpoint; there are ${Object.values(EndpointKind).join(', ')}`,
    ),
    ...ifSo(
      typeof settings.storage === 'string' && !Object.values(StorageKind).includes(settings.storage),
      'storage',
      `"${settings.storage}" is no kind of storage; there are ${Object.values(StorageKind).join(', ')}`,
    ),
    ...ifSo(
      settings.storage === StorageKind.S3 && settings.fileThroughput !== undefined,
      'fileThroughput',
      'is about EFS, and the files are in S3; leave one of them out',
    ),
    ...ifSo(
      typeof settings.fileThroughput === 'string' && !Object.values(FileThroughput).includes(settings.fileThroughput),
      'fileThroughput',
      `"${settings.fileThroughput}" is no throughput mode; there are ${Object.values(FileThroughput).join(', ')}`,
    ),
    ...ifSo(
      typeof settings.name === 'string' && !/^[a-z][a-z0-9-]{0,19}$/.test(settings.name),
      'name',
      `"${settings.name}" can't name stacks; use up to 20 small letters, digits and hyphens, beginning with a letter`,
    ),
  ];
}

/** Of the server's own settings and those of its protocols. */
function serverProblems(server: FtpsServerSettings | undefined): Problem[] {
  const { sftp, https, as2 } = server ?? {};
  return [
    ...problemsOf('server.', server, serverKeys, []),
    ...problemsOf('server.sftp.', sftp, sftpKeys, []),
    ...problemsOf('server.sftp.userCertificates.', sftp?.userCertificates, userCertificateKeys, []),
    ...problemsOf('server.https.', https, httpsKeys, []),
    ...problemsOf('server.https.links.', https?.links, linkKeys, []),
    ...as2Problems(as2),
  ];
}

function as2Problems(as2: As2Settings | undefined): Problem[] {
  if (!isBlock(as2)) return [];
  const agreements = as2.agreements ?? [];
  const each = isOfKind['list of objects'](agreements) ? agreements : [];
  return [
    ...problemsOf('server.as2.', as2, as2Keys, ['as2Id']),
    ...each.flatMap((one, index) => {
      const key = `server.as2.agreements[${index}].`;
      return [...problemsOf(key, one, as2AgreementKeys, ['partner', 'account']), ...problemsOf(`${key}partner.`, one.partner, as2PartnerKeys, ['as2Id'])];
    }),
  ];
}

/** What environments share, before what is its own takes the place of some of it. */
export function sharedProblems(shared: FtpsEnvironmentOptions): Problem[] {
  return [...blockProblems('shared', shared), ...problemsOf('', shared, environmentKeys, [], givenByParts)];
}

/** Of what an environment gets from its parts, where `FtpsService` has it among its props. */
function givenByParts(key: string): string | undefined {
  if (key === 'constructor' || !Object.hasOwn(FtpsStageParts.prototype, key)) return undefined;
  return `${key}() of a class that extends FtpsStageParts gives it`;
}

/** Host names of a service: what they look like, and that the zone they are validated and recorded in is theirs. */
import { Token } from 'aws-cdk-lib';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';

const HOST_NAME = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i;
/** Most characters of the first name of a certificate of ACM (ACM API reference, "RequestCertificate"). */
const LONGEST = 64;

/** Throws an Error that names the setting and the name. `*.` may begin a further name. */
export function refuseWrongHostNames(domainName: string, alternativeNames: readonly string[]): void {
  const wrong = (name: string) => !Token.isUnresolved(name) && !HOST_NAME.test(name);
  if (wrong(domainName)) throw new Error(`domainName: "${domainName}" is no host name; write it as ftps.example.com`);
  if (!Token.isUnresolved(domainName) && domainName.length > LONGEST)
    throw new Error(`domainName: "${domainName}" has ${domainName.length} characters, and a certificate has room for ${LONGEST}; choose a shorter name`);
  const other = alternativeNames.find((name) => wrong(name.replace(/^\*\./, '')));
  if (other !== undefined) throw new Error(`alternativeNames: "${other}" is no host name; write it as files.example.com`);
}

/** Throws an Error where Route 53 would refuse the records of a name, after the deployment has waited for them. */
export function refuseNamesOutside(zone: IHostedZone, domainName: string, validated: readonly string[]): void {
  if (typeof zone === 'string')
    throw new Error("hostedZone: is a text; give the zone, by HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId, zoneName })");
  const { hostedZoneId } = zone;
  if (!Token.isUnresolved(hostedZoneId) && !/^[A-Z0-9]{1,32}$/.test(hostedZoneId))
    throw new Error(`hostedZone: "${hostedZoneId}" is no id of a zone; write it as Z0123456789ABCDEFGHIJ, without a path before it`);
  const zoneName = nameOf(zone)?.replace(/\.$/, '').toLowerCase();
  if (zoneName === undefined || Token.isUnresolved(zoneName)) return;
  const outside = (name: string) => !Token.isUnresolved(name) && !`.${name.toLowerCase()}`.endsWith(`.${zoneName}`);
  const recorded = 'and no record of it can be made there; give the zone of the name';
  if (outside(domainName)) throw new Error(`domainName: "${domainName}" does not lie in the zone ${zoneName}, ${recorded}`);
  const other = validated.find(outside);
  if (other !== undefined) throw new Error(`alternativeNames: "${other}" does not lie in the zone ${zoneName}, ${recorded}, or bring a certificate`);
}

/** Undefined for a zone that was given by its id alone. */
function nameOf(zone: IHostedZone): string | undefined {
  try {
    return zone.zoneName;
  } catch {
    return undefined;
  }
}

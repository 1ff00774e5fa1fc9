/** The EC2 instance metadata service, version 2 (AWS documentation: "Use IMDSv2"). */

const endpoint = () => process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? 'http://169.254.169.254';
const TIMEOUT_MS = 1_000;
const TOKEN_SECONDS = 60;

/** One value below `/latest/meta-data/`, or undefined where this instance has no such value. Throws where the service is out of reach. */
export async function instanceMetadata(path: string): Promise<string | undefined> {
  const token = await ask('/latest/api/token', { method: 'PUT', headers: { 'X-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS) } });
  return ask(`/latest/meta-data/${path}`, { headers: { 'X-aws-ec2-metadata-token': token ?? '' } });
}

/** The public IPv4 address of this instance; undefined where it has none. */
export async function publicIpv4(): Promise<string | undefined> {
  return instanceMetadata('public-ipv4');
}

async function ask(path: string, init: RequestInit): Promise<string | undefined> {
  const response = await fetch(new URL(path, endpoint()), { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = (await response.text()).trim();
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`instance metadata ${path}: ${response.status}`);
  return text;
}

/** The EC2 instance metadata service, version 2 (AWS documentation: "Use IMDSv2"). */

const endpoint = () => process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? 'http://169.254.169.254';
const TIMEOUT_MS = 1_000;
const TOKEN_SECONDS = 60;

/** One value below `/latest/meta-data/`. Throws where the service is out of reach or has no such value. */
export async function instanceMetadata(path: string): Promise<string> {
  const token = await ask('/latest/api/token', { method: 'PUT', headers: { 'X-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS) } });
  return ask(`/latest/meta-data/${path}`, { headers: { 'X-aws-ec2-metadata-token': token } });
}

/** The public IPv4 address of this instance. */
export function publicIpv4(): Promise<string> {
  return instanceMetadata('public-ipv4');
}

async function ask(path: string, init: RequestInit): Promise<string> {
  const response = await fetch(new URL(path, endpoint()), { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`instance metadata ${path}: ${response.status}`);
  return (await response.text()).trim();
}

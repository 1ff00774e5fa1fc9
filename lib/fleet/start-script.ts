/** What an instance does when it starts: settings, storage, address, log agent, server. Secrets appear only by their ARN. */
import { UserData } from 'aws-cdk-lib/aws-ec2';

export interface StartScriptOptions {
  readonly region: string;
  /** The server's settings as JSON. */
  readonly settings: string;
  readonly mountCommands: readonly string[];
  readonly addressCommands: readonly string[];
  /** Settings of the CloudWatch agent as JSON. */
  readonly agentSettings: string;
  readonly adminPort: number;
  /** The passive range, low-high. */
  readonly passivePorts: string;
}

export function startScript(options: StartScriptOptions): UserData {
  const userData = UserData.forLinux();
  userData.addCommands(
    'set -euo pipefail',
    "TOKEN=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' http://169.254.169.254/latest/api/token)",
    ...options.addressCommands,
    ...options.mountCommands,
    ...file('/etc/ftps/server.json', options.settings, 'root:ftps', '0640'),
    ...file('/etc/ftps/environment', `AWS_REGION=${options.region}`, 'root:ftps', '0640'),
    ...file('/opt/aws/amazon-cloudwatch-agent/etc/ftps.json', options.agentSettings, 'root:root', '0644'),
    // No connection of the instance's own may begin at a passive port: the server could not open it then.
    ...file('/etc/sysctl.d/61-ftps-ports.conf', `net.ipv4.ip_local_reserved_ports = ${options.passivePorts}`, 'root:root', '0644'),
    'sysctl -q -p /etc/sysctl.d/61-ftps-ports.conf',
    '/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/opt/aws/amazon-cloudwatch-agent/etc/ftps.json',
    'systemctl enable --now ftps.service',
    `for attempt in $(seq 60); do curl -sf http://127.0.0.1:${options.adminPort}/health && break; sleep 1; done`,
  );
  return userData;
}

function file(path: string, content: string, owner: string, mode: string): string[] {
  return [`cat > ${path} <<'END_OF_FILE'\n${content}\nEND_OF_FILE`, `chown ${owner} ${path} && chmod ${mode} ${path}`];
}

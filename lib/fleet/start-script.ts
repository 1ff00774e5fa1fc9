/** What an instance does when it starts: settings, storage, address, log agent, server. Secrets appear only by their ARN. */
import { UserData } from 'aws-cdk-lib/aws-ec2';

export interface StartScriptOptions {
  readonly region: string;
  /** The server's settings as JSON. */
  readonly settings: string;
  /** Lines that complete its settings with what is too long for user data. */
  readonly settingsCommands: readonly string[];
  readonly mountCommands: readonly string[];
  /** Lines that wait for what the instance is given, and complete its settings. */
  readonly endpointCommands: readonly string[];
  readonly groupName: string;
  readonly launchHook: string;
  /** Settings of the CloudWatch agent as JSON. */
  readonly agentSettings: string;
  readonly adminPort: number;
  /** The passive range, low-high. */
  readonly passivePorts: string;
}

/**
 * The script runs at every boot, because an instance of a warm pool boots twice: once to be prepared and stopped, once to serve. It is
 * written by the user data, which runs at the first boot alone, and started by instance-start.service.
 */
export function startScript(options: StartScriptOptions): UserData {
  const { region, adminPort, groupName, launchHook } = options;
  const health = `http://127.0.0.1:${adminPort}/health`;
  const script = [
    'set -euo pipefail',
    "TOKEN=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' http://169.254.169.254/latest/api/token)",
    'metadata() { curl -sf -H "X-aws-ec2-metadata-token: $TOKEN" "http://169.254.169.254/latest/meta-data/$1"; }',
    // The group takes the instance into service only when it serves; one that comes to nothing is given up at once.
    `launched() { aws autoscaling complete-lifecycle-action --region ${region} --auto-scaling-group-name '${groupName}' --lifecycle-hook-name ${launchHook} --instance-id "$(metadata instance-id)" --lifecycle-action-result "$1"; }`,
    "trap 'launched ABANDON' ERR",
    'case $(metadata autoscaling/target-lifecycle-state || true) in Warmed:*) launched CONTINUE; exit 0 ;; esac',
    ...options.mountCommands,
    ...file('/etc/ftps/server.json', options.settings, 'root:ftps', '0640'),
    ...options.settingsCommands,
    ...file('/etc/ftps/environment', `AWS_REGION=${region}`, 'root:ftps', '0640'),
    ...file('/etc/ftps/health', `GROUP_REGION=${region}\nHEALTH_URL=${health}`, 'root:root', '0644'),
    ...file('/opt/aws/amazon-cloudwatch-agent/etc/ftps.json', options.agentSettings, 'root:root', '0644'),
    // No connection of the instance's own may begin at a passive port: the server could not open it then.
    ...file('/etc/sysctl.d/61-ftps-ports.conf', `net.ipv4.ip_local_reserved_ports = ${options.passivePorts}`, 'root:root', '0644'),
    'sysctl -q -p /etc/sysctl.d/61-ftps-ports.conf',
    '/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/opt/aws/amazon-cloudwatch-agent/etc/ftps.json',
    ...options.endpointCommands,
    'systemctl start ftps.service ftps-health.timer',
    // Health says yes when an upload would be taken: the scanner has read its signatures, which takes it half a minute, and the files are there.
    `for attempt in $(seq 300); do curl -sf ${health} && break; sleep 1; done`,
    `curl -sf ${health} || false`,
    'launched CONTINUE',
  ];
  const userData = UserData.forLinux();
  userData.addCommands(
    `cat > /opt/ftps/start.sh <<'END_OF_SCRIPT'\n${script.join('\n')}\nEND_OF_SCRIPT`,
    'chmod 0500 /opt/ftps/start.sh',
    'systemctl enable instance-start.service',
    'systemctl start --no-block instance-start.service',
  );
  return userData;
}

function file(path: string, content: string, owner: string, mode: string): string[] {
  return [`cat > ${path} <<'END_OF_FILE'\n${content}\nEND_OF_FILE`, `chown ${owner} ${path} && chmod ${mode} ${path}`];
}

/** What an instance does when it starts: settings, storage, address, log agent, server. Secrets appear only by their ARN. */
import { UserData } from 'aws-cdk-lib/aws-ec2';
import { AUDIT_FILE } from '../server-settings';

export interface StartScriptOptions {
  readonly region: string;
  /** The server's settings as JSON. */
  readonly settings: string;
  readonly mountCommands: readonly string[];
  readonly addressCommands: readonly string[];
  readonly auditGroupName: string;
  readonly operationsGroupName: string;
  readonly adminPort: number;
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
    ...file('/opt/aws/amazon-cloudwatch-agent/etc/ftps.json', agentSettings(options), 'root:root', '0644'),
    '/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/opt/aws/amazon-cloudwatch-agent/etc/ftps.json',
    'systemctl enable --now ftps.service',
    `for attempt in $(seq 60); do curl -sf http://127.0.0.1:${options.adminPort}/health && break; sleep 1; done`,
  );
  return userData;
}

function file(path: string, content: string, owner: string, mode: string): string[] {
  return [`cat > ${path} <<'END_OF_FILE'\n${content}\nEND_OF_FILE`, `chown ${owner} ${path} && chmod ${mode} ${path}`];
}

/** The CloudWatch agent reads the audit as its own user, through the group of the file. */
function agentSettings({ auditGroupName, operationsGroupName }: StartScriptOptions): string {
  const collect = (path: string, group: string) => ({ file_path: path, log_group_name: group, log_stream_name: '{instance_id}', timezone: 'UTC' });
  return JSON.stringify({
    agent: { run_as_user: 'cwagent' },
    logs: { logs_collected: { files: { collect_list: [collect(AUDIT_FILE, auditGroupName), collect('/var/log/messages', operationsGroupName)] } } },
  });
}

/** The instance metadata service (IMDSv2), and the two calls that an instance makes to its Auto Scaling group, which are written down. */
import { appendFileSync } from 'node:fs';
import http from 'node:http';

const METADATA = { 'instance-id': 'i-0123456789abcdef0', 'public-ipv4': '198.51.100.7', 'autoscaling/target-lifecycle-state': 'InService' };

http
  .createServer((request, response) => {
    if (request.method === 'PUT' && request.url === '/latest/api/token') return response.end('token');
    if (request.url === '/aws') {
      request.on('data', (call) => appendFileSync('/var/log/aws-calls', call)).on('end', () => response.end());
      return request;
    }
    if (request.headers['x-aws-ec2-metadata-token'] !== 'token') return response.writeHead(401).end();
    const value = METADATA[request.url.replace('/latest/meta-data/', '')];
    return value === undefined ? response.writeHead(404).end() : response.end(value);
  })
  .listen(80, '169.254.169.254');

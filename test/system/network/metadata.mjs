// The EC2 instance metadata service, version 2 and only that: values for those who show a token that they asked for by PUT.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const [publicIpv4] = process.argv.slice(2);
const tokens = new Set();
createServer(({ method, url, headers }, response) => {
  if (method === 'PUT' && url === '/latest/api/token' && headers['x-aws-ec2-metadata-token-ttl-seconds']) {
    const token = randomUUID();
    tokens.add(token);
    response.end(token);
  } else if (!tokens.has(headers['x-aws-ec2-metadata-token'])) response.writeHead(401).end();
  else if (method === 'GET' && url === '/latest/meta-data/public-ipv4') response.end(publicIpv4);
  else response.writeHead(404).end();
}).listen(80, '169.254.169.254', () => console.log('listening'));

// A real provider of OpenID Connect in a process of its own, because it is a module of ECMAScript alone. stdin: { key, cert, redirectUri, secret }; stdout: its address.
import { once } from 'node:events';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

let text = '';
for await (const chunk of process.stdin) text += chunk;
const { key, cert, redirectUri, secret } = JSON.parse(text);
const server = createServer({ key, cert });
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `https://localhost:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [
    { client_id: 'files', client_secret: secret, redirect_uris: [redirectUri] },
    { client_id: 'bare', token_endpoint_auth_method: 'none', redirect_uris: [redirectUri] },
  ],
  cookies: { keys: ['for a test alone'] },
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  claims: { openid: ['sub', 'groups'] },
  findAccount: (_, accountId) => ({
    accountId,
    claims: async () => ({ sub: accountId, groups: accountId === 'stranger' ? [] : ['everybody', `of-${accountId}`] }),
  }),
});
server.on('request', provider.callback());
process.stdout.write(`${issuer}\n`);

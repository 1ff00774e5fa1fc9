/** Paths of the settings that begin at the working directory. */
import { resolve } from 'node:path';
import { checkServerConfig, type ServerConfigInput, withAbsolutePaths } from '../../../server/config';

const base = {
  listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
  sftp: { port: 22, hostKeys: [{ kind: 'file', file: 'host.key' }] },
  tls: { certificates: [{ kind: 'file', certificate: 'a.pem', key: './b.key' }], clientCa: 'ca.pem', clientCrl: '../crl.pem' },
  storage: { kind: 'local', root: 'files' },
  antivirus: { kind: 'clamd', socket: 'clamd.sock' },
  firewall: { mode: 'nftables', socket: 'firewall.sock' },
  identity: [
    { kind: 'file', file: 'accounts.json' },
    {
      kind: 'directory',
      servers: ['ldaps://dc.example.com'],
      ca: 'dc.pem',
      users: { base: 'dc=example' },
      rules: [{}],
      bind: { kind: 'service', dn: 'cn=reader', passwordFile: 'password' },
    },
  ],
  audit: { destination: 'audit.json' },
  admin: { socket: 'admin.sock' },
};

const whole = (config: unknown) => withAbsolutePaths(checkServerConfig(config as ServerConfigInput));

it('are made whole', () => {
  expect(whole(base)).toMatchObject({
    sftp: { hostKeys: [{ file: resolve('host.key') }] },
    tls: { certificates: [{ certificate: resolve('a.pem'), key: resolve('b.key') }], clientCa: resolve('ca.pem'), clientCrl: resolve('../crl.pem') },
    storage: { root: resolve('files') },
    antivirus: { socket: resolve('clamd.sock') },
    firewall: { socket: resolve('firewall.sock') },
    identity: [{ file: resolve('accounts.json') }, { ca: resolve('dc.pem'), bind: { passwordFile: resolve('password') } }],
    audit: { destination: resolve('audit.json') },
    admin: { socket: resolve('admin.sock') },
  });
});

it('stay what they are where they are whole, or no paths', () => {
  const pem = '# of the directory\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
  const config = checkServerConfig({
    ...base,
    sftp: undefined,
    tls: { certificates: [{ kind: 'file', certificate: '/etc/a.pem', key: '/etc/b.key' }], clientCa: 's3://bucket/ca.pem', clientCrl: '/etc/crl.pem' },
    storage: { kind: 's3', bucket: 'files' },
    antivirus: { kind: 'off' },
    firewall: { mode: 'off' },
    identity: [{ ...base.identity[1], ca: pem, bind: { kind: 'service', dn: 'cn=reader', passwordSecretId: 'secret' } }],
    audit: { destination: '-' },
    admin: {},
  } as unknown as ServerConfigInput);
  expect(withAbsolutePaths(config)).toEqual(config);
});

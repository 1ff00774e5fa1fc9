/** sslyze, a scanner of TLS servers, looks at both listeners. Its reports are kept in reports/tls/. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CertificateFolder } from '../../server/support/certificates';
import { run, type ServedProcess, serveConfigured } from '../support/served';

const REPORTS = join(__dirname, '../../../reports/tls');

let place: CertificateFolder;
let server: ServedProcess;
beforeAll(async () => {
  place = await CertificateFolder.create();
  const listener = { host: '127.0.0.1', port: 0 };
  server = await serveConfigured({
    listeners: [
      { mode: 'explicit', ...listener },
      { mode: 'implicit', ...listener },
    ],
    passive: { ports: 'any:1' },
    tls: { certificates: [await place.put('ec', await place.authority.issue()), await place.put('rsa', await place.authority.issue({ rsa: true }))] },
    identity: [{ kind: 'file', file: await place.write('accounts.json', '{"accounts": []}') }],
    // A scanner is a stranger that comes for hundreds of handshakes.
    limits: { strangersPerAddress: 10_000 },
  });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  await place.remove();
});

interface Suites {
  readonly result: {
    readonly accepted_cipher_suites: readonly {
      readonly cipher_suite: { readonly name: string };
      readonly ephemeral_key: { readonly type_name: string } | null;
    }[];
  };
}

async function scan(mode: 'explicit' | 'implicit') {
  mkdirSync(REPORTS, { recursive: true });
  const report = join(REPORTS, `sslyze-${mode}.json`);
  const checks = [
    'sslv2',
    'sslv3',
    'tlsv1',
    'tlsv1_1',
    'tlsv1_2',
    'tlsv1_3',
    'heartbleed',
    'openssl_ccs',
    'robot',
    'fallback',
    'reneg',
    'compression',
    'early_data',
  ];
  const { code, output } = await run(`${process.env.CDK_FTPS_VENV}/bin/python`, [
    ...['-m', 'sslyze', '--quiet', '--mozilla_config=disable', `--json_out=${report}`, ...checks.map((check) => `--${check}`), '--elliptic_curves', '--ems'],
    ...(mode === 'explicit' ? ['--starttls=ftp'] : []),
    `localhost:${server[mode]}`,
  ]);
  if (code !== 0) throw new Error(output);
  const [{ scan_result: result, scan_status: status }] = JSON.parse(readFileSync(report, 'utf8')).server_scan_results;
  expect(status).toBe('COMPLETED');
  return result;
}

describe.each(['explicit', 'implicit'] as const)('the %s listener', (mode) => {
  it('speaks TLS 1.2 and 1.3 only, with forward secrecy and authenticated encryption, and has none of the known weaknesses', async () => {
    const result = await scan(mode);
    const accepted = (check: string) => (result[check] as Suites).result.accepted_cipher_suites.map(({ cipher_suite: { name } }) => name);
    for (const old of ['ssl_2_0', 'ssl_3_0', 'tls_1_0', 'tls_1_1']) expect(accepted(`${old}_cipher_suites`)).toEqual([]);
    expect(accepted('tls_1_2_cipher_suites').sort()).toEqual([
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    ]);
    expect(accepted('tls_1_3_cipher_suites').sort()).toEqual(['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']);
    expect(result.elliptic_curves.result.supported_curves.map(({ name }: { name: string }) => name).sort()).toEqual(['X25519', 'secp256r1', 'secp384r1']);
    expect(result.heartbleed.result.is_vulnerable_to_heartbleed).toBe(false);
    expect(result.openssl_ccs_injection.result.is_vulnerable_to_ccs_injection).toBe(false);
    expect(result.robot.result.robot_result).toBe('NOT_VULNERABLE_RSA_NOT_SUPPORTED');
    expect(result.tls_compression.result.supports_compression).toBe(false);
    expect(result.tls_1_3_early_data.result.supports_early_data).toBe(false);
    expect(result.tls_fallback_scsv.result.supports_fallback_scsv).toBe(true);
    expect(result.tls_extended_master_secret.result.supports_ems_extension).toBe(true);
    expect(result.session_renegotiation.result).toMatchObject({ supports_secure_renegotiation: true, is_vulnerable_to_client_renegotiation_dos: false });
  });
});

import { createPrivateKey } from 'node:crypto';
import { ACMClient, DescribeCertificateCommand, ExportCertificateCommand } from '@aws-sdk/client-acm';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { acmSource } from '../../../lib/certificate/rotation/acm-source';
import { type Outcome, release, rollBack, rotate } from '../../../lib/certificate/rotation/rotate';
import { SecretVersions } from '../../../lib/certificate/rotation/secret-versions';
import { certificateProblems } from '../../../server/config';
import { type Issued, TestAuthority } from '../../server/support/authority';

/** Secrets Manager in memory: versions and their stages, with the rules that rotation relies on. */
class Secret {
  readonly versions = new Map<string, { text: string; stages: Set<string> }>([
    ['initial', { text: 'generated-by-cloudformation', stages: new Set(['AWSCURRENT']) }],
  ]);
  readonly mock = mockClient(SecretsManagerClient);
  /** Called before each request; throws to stand for a crash. */
  before: (request: string) => void = () => {};

  constructor() {
    this.mock.on(GetSecretValueCommand).callsFake(({ VersionStage, VersionId }) => {
      this.before('get');
      const found = [...this.versions].find(
        ([id, { stages }]) => (VersionStage === undefined || stages.has(VersionStage)) && (VersionId === undefined || id === VersionId),
      );
      if (!found) throw new ResourceNotFoundException({ message: 'not found', $metadata: {} });
      return { SecretString: found[1].text };
    });
    this.mock.on(PutSecretValueCommand).callsFake(({ ClientRequestToken, SecretString, VersionStages }) => {
      this.before('put');
      const known = this.versions.get(ClientRequestToken);
      if (known && known.text !== SecretString) throw new Error('ResourceExistsException');
      if (!known) {
        for (const { stages } of this.versions.values()) for (const stage of VersionStages) stages.delete(stage);
        this.versions.set(ClientRequestToken, { text: SecretString, stages: new Set(VersionStages) });
      }
      return {};
    });
    this.mock.on(DescribeSecretCommand).callsFake(() => {
      this.before('describe');
      return { VersionIdsToStages: Object.fromEntries([...this.versions].map(([id, { stages }]) => [id, [...stages]])) };
    });
    this.mock.on(UpdateSecretVersionStageCommand).callsFake(({ VersionStage, MoveToVersionId, RemoveFromVersionId }) => {
      this.before('move');
      const from = this.versions.get(RemoveFromVersionId);
      if (from && !from.stages.delete(VersionStage)) throw new Error('InvalidParameterException');
      if (VersionStage === 'AWSCURRENT') {
        for (const { stages } of this.versions.values()) stages.delete('AWSPREVIOUS');
        from?.stages.add('AWSPREVIOUS');
      }
      if (MoveToVersionId) this.versions.get(MoveToVersionId)!.stages.add(VersionStage);
      return {};
    });
  }

  get current(): string {
    return [...this.versions.values()].find(({ stages }) => stages.has('AWSCURRENT'))!.text;
  }
}

const acm = mockClient(ACMClient);
let root: TestAuthority;
let intermediate: TestAuthority;
let secret: Secret;

beforeAll(async () => {
  root = await TestAuthority.create();
  intermediate = await TestAuthority.create('CN=Test Intermediate', root);
});

beforeEach(() => {
  acm.reset();
  secret = new Secret();
});

/** Lets ACM export this certificate, its key encrypted as ACM does it. */
function acmHas(issued: Issued, { chain = `${intermediate.pem}\n${root.pem}`, key = issued.key } = {}): void {
  acm.on(DescribeCertificateCommand).resolves({ Certificate: { Status: 'ISSUED', Serial: (issued.serialNumber.match(/../g) ?? []).join(':') } });
  acm.on(ExportCertificateCommand).callsFake(({ Passphrase }) => ({
    Certificate: issued.certificate,
    CertificateChain: chain,
    PrivateKey: createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: Buffer.from(Passphrase) }),
  }));
}

function parts() {
  return {
    source: acmSource(acm as unknown as ACMClient, 'arn:aws:acm:eu-central-1:111122223333:certificate/1'),
    versions: new SecretVersions(secret.mock as unknown as SecretsManagerClient, 'secret'),
    names,
    minDaysLeft: 1,
  };
}

const run = (): Promise<Outcome> => rotate(parts());

const names = ['ftps.example.com'];

describe('a rotation', () => {
  it('brings the first certificate, and then each new one', async () => {
    const first = await intermediate.issue({ names });
    acmHas(first);
    expect(await run()).toBe('rotated');
    expect(certificateProblems(JSON.parse(secret.current), { names })).toEqual([]);
    const second = await intermediate.issue({ names, rsa: true });
    acmHas(second);
    expect(await run()).toBe('rotated');
    expect(JSON.parse(secret.current).certificate).toBe(second.certificate);
    expect(
      [...secret.versions.values()].some(({ text, stages }) => text.includes(JSON.stringify(first.certificate).slice(1, -1)) && stages.has('AWSPREVIOUS')),
    ).toBe(true);
  });

  it('makes no new version while ACM has the same certificate, however often it runs', async () => {
    acmHas(await intermediate.issue({ names }));
    await run();
    const { size } = secret.versions;
    for (let count = 0; count < 3; count += 1) expect(await run()).toBe('current');
    expect(secret.versions.size).toBe(size);
  });

  it.each([
    [
      'a key of another certificate',
      async () => acmHas(await intermediate.issue({ names }), { key: (await intermediate.issue({ names })).key }),
      /private key belongs to another/,
    ],
    ['no chain', async () => acmHas(await intermediate.issue({ names }), { chain: '' }), /chain is missing/],
    [
      'a chain that ends short of a root',
      async () => acmHas(await intermediate.issue({ names }), { chain: intermediate.pem }),
      /short of a root: certificates are missing after it/,
    ],
    [
      'the chain of somebody else',
      async () => acmHas(await intermediate.issue({ names }), { chain: (await TestAuthority.create('CN=Test Intermediate')).pem }),
      /did not issue/,
    ],
    ['another name', async () => acmHas(await intermediate.issue({ names: ['other.example.com'] })), /does not cover ftps\.example\.com/],
    ['an end that has passed', async () => acmHas(await intermediate.issue({ names, from: -10, until: -1 })), /expired/],
    ['an end that is near', async () => acmHas(await intermediate.issue({ names, until: 0.5 })), /more days, fewer than 1/],
    [
      'no key',
      async () => acmHas(await intermediate.issue({ names })) ?? acm.on(ExportCertificateCommand).resolves({ Certificate: 'x' }),
      /no certificate or no private key/,
    ],
    [
      'throttling that does not end',
      async () =>
        acmHas(await intermediate.issue({ names })) ??
        acm.on(ExportCertificateCommand).rejects(Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' })),
      /Rate exceeded/,
    ],
  ])('refuses %s and leaves the current one', async (_name, prepare, message) => {
    const good = await intermediate.issue({ names });
    acmHas(good);
    await run();
    await prepare();
    await expect(run()).rejects.toThrow(message);
    expect(JSON.parse(secret.current).certificate).toBe(good.certificate);
  });

  it('that crashes between any two steps leaves a good certificate, and the next run finishes', async () => {
    const good = await intermediate.issue({ names });
    acmHas(good);
    await run();
    for (let crashAt = 1; ; crashAt += 1) {
      const renewed = await intermediate.issue({ names });
      acmHas(renewed);
      let requests = 0;
      secret.before = () => {
        requests += 1;
        if (requests === crashAt) throw new Error('crash');
      };
      const crashed = await run().then(
        () => false,
        () => true,
      );
      secret.before = () => {};
      expect(certificateProblems(JSON.parse(secret.current), { names })).toEqual([]);
      await run();
      expect(JSON.parse(secret.current).certificate).toBe(renewed.certificate);
      if (!crashed) break;
      expect(crashAt).toBeLessThan(20);
    }
  });

  it('takes no older certificate for a newer one, as an answer out of date would have it', async () => {
    const [older, newer] = [await intermediate.issue({ names, from: -3 }), await intermediate.issue({ names, from: -1 })];
    acmHas(newer);
    await run();
    acmHas(older);
    expect(await run()).toBe('current');
    expect(JSON.parse(secret.current).certificate).toBe(newer.certificate);
  });

  it('exports nothing while the serial is unchanged', async () => {
    acmHas(await intermediate.issue({ names }));
    await run();
    const exports = acm.commandCalls(ExportCertificateCommand).length;
    await run();
    expect(acm.commandCalls(ExportCertificateCommand)).toHaveLength(exports);
  });

  it('does not take up a revoked certificate, and says whether it is the one in service', async () => {
    const issued = await intermediate.issue({ names });
    acmHas(issued);
    await run();
    acm.on(DescribeCertificateCommand).resolves({ Certificate: { Status: 'REVOKED', Serial: issued.serialNumber, RevocationReason: 'KEY_COMPROMISE' } });
    await expect(run()).rejects.toMatchObject({ reason: 'revoked', message: expect.stringMatching(/KEY_COMPROMISE.*It is the one that is served/) });
    expect(JSON.parse(secret.current).certificate).toBe(issued.certificate);
  });

  it('that is rolled back stays so until it is released', async () => {
    const [first, second] = [await intermediate.issue({ names, from: -3 }), await intermediate.issue({ names, from: -1 })];
    await expect(rollBack(parts())).rejects.toThrow(/no certificate before the current one/);
    acmHas(first);
    await run();
    acmHas(second);
    await run();
    await rollBack(parts());
    expect(JSON.parse(secret.current).certificate).toBe(first.certificate);
    expect(await run()).toBe('held');
    expect(JSON.parse(secret.current).certificate).toBe(first.certificate);
    await release(parts().versions);
    expect(await run()).toBe('rotated');
    expect(JSON.parse(secret.current).certificate).toBe(second.certificate);
  });

  it('never tells the key in an error', async () => {
    const issued = await intermediate.issue({ names });
    acmHas(issued);
    acm.on(ExportCertificateCommand).resolves({
      Certificate: issued.certificate,
      CertificateChain: intermediate.pem,
      PrivateKey: issued.key.replace('PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'),
    });
    const error = await run().catch((caught: Error) => caught);
    expect(String((error as Error).stack)).not.toContain(issued.key.split('\n')[1]);
  });
});

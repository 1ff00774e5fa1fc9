import { randomBytes } from 'node:crypto';
import { antivirusSchema } from '../../../../server/config/storage';
import { ClamdScanner } from '../../../../server/files/antivirus/clamd';
import type { Scan } from '../../../../server/files/antivirus/scanner';
import { ClamdPeer } from '../../support/clamd';

let peer: ClamdPeer;
let reports: string[];
let scanner: ClamdScanner;

function open(settings: Record<string, unknown> = {}): ClamdScanner {
  const config = antivirusSchema.parse({ kind: 'clamd', socket: peer.path, timeoutSeconds: 10, ...settings });
  if (config.kind !== 'clamd') throw new Error('another scanner');
  scanner = new ClamdScanner(config, (state, detail) => reports.push(detail === undefined ? state : `${state}: ${detail}`));
  return scanner;
}

async function verdict(scan: Scan, ...pieces: (string | Buffer)[]) {
  for (const piece of pieces) await scan.write([Buffer.from(piece)]);
  return scan.finish();
}

beforeEach(async () => {
  reports = [];
  peer = await ClamdPeer.listen();
});
afterEach(async () => {
  await scanner.close();
  await peer.close();
});

describe('scanning by clamd', () => {
  it('sends every byte once and brings the verdict, the engine and its signatures', async () => {
    const [one, two] = [randomBytes(3_000_000), randomBytes(17)];
    expect(await verdict(open().begin('ann'), one, two)).toEqual({ result: 'clean', engine: 'ClamAV 1.4.3/27789/Tue Oct 14 09:42:10 2025' });
    expect(peer.received[0]!.equals(Buffer.concat([one, two]))).toBe(true);
    expect(await verdict(scanner.begin('ann'), 'so ', 'EVIL')).toMatchObject({ result: 'infected', signature: 'Evil.Test' });
    expect(await verdict(scanner.begin('ann'))).toMatchObject({ result: 'clean' });
    expect(reports).toEqual(['up']);
  });

  it('lets no more scans run at once than there are connections, and everybody has a turn', async () => {
    open({ connections: 3 });
    const all = await Promise.all(Array.from({ length: 20 }, () => verdict(scanner.begin('ann'), 'x'.repeat(100_000))));
    expect(all.every(({ result }) => result === 'clean')).toBe(true);
    expect(peer.most).toBeLessThanOrEqual(4); // one more asks for the version
  });

  it('gives the place of an aborted scan, waiting or running, to the next', async () => {
    open({ connections: 1 });
    const [running, waiting, last] = [scanner.begin('ann'), scanner.begin('ann'), scanner.begin('ann')];
    await running.write([Buffer.from('x')]);
    const waited = waiting.write([Buffer.from('y')]);
    const third = verdict(last, 'z');
    waiting.abort();
    await waited;
    running.abort();
    expect(await third).toMatchObject({ result: 'clean' });
  });

  it('leaves others their turns, however many uploads of one account have begun and send nothing more', async () => {
    open({ connections: 4, timeoutSeconds: 1 });
    const left = Array.from({ length: 8 }, () => scanner.begin('rival'));
    const begun = left.map((scan) => scan.write([Buffer.from('x')]));
    await Promise.all(begun.slice(0, 2));
    expect(await Promise.all(['ann', 'bob', 'ann'].map((owner) => verdict(scanner.begin(owner), 'y')))).toMatchObject(Array(3).fill({ result: 'clean' }));
    for (const scan of left) scan.abort();
  });

  it('never lets through what had no turn in time, and does not call clamd down for it', async () => {
    open({ connections: 1, timeoutSeconds: 0.2, whenUnavailable: 'release' });
    const [first, second] = [scanner.begin('rival'), scanner.begin('rival')];
    await first.write([Buffer.from('x')]);
    expect(await verdict(second, 'EVIL')).toEqual({ result: 'error', detail: 'it had no turn within 0.2 seconds' });
    expect(await first.finish()).toMatchObject({ result: 'clean' });
    expect(reports).toEqual(['up']);
  });

  it('never lets through what clamd gave up because the client sent nothing; its turn is the next one’s', async () => {
    open({ connections: 1, timeoutSeconds: 2, whenUnavailable: 'release' });
    peer.onBytes = (socket, bytes) => bytes === 'zINSTREAM\0'.length + 4 + 'half'.length && socket.end('INSTREAM: Read timeout ERROR\0');
    const slow = scanner.begin('rival');
    await slow.write([Buffer.from('half')]);
    expect(await verdict(scanner.begin('ann'), 'whole')).toMatchObject({ result: 'clean' });
    await slow.write([Buffer.from('EVIL')]);
    expect(await slow.finish()).toMatchObject({ result: 'error' });
    expect(reports).toEqual(['up']);
  });

  it.each([
    ['refuse', 'error'],
    ['release', 'unscanned'],
  ])('says when clamd is down, answers as configured (%s), and says when it is back', async (whenUnavailable, result) => {
    open({ whenUnavailable });
    await peer.close();
    expect(await verdict(scanner.begin('ann'), 'x')).toMatchObject({ result, detail: expect.stringContaining('ENOENT') });
    expect(await verdict(scanner.begin('ann'), 'x')).toMatchObject({ result });
    peer = await ClamdPeer.listen(peer.path);
    expect(await verdict(scanner.begin('ann'), 'x')).toMatchObject({ result: 'clean' });
    expect(reports).toEqual([expect.stringContaining('down: connect ENOENT'), 'up']);
  });

  it('gives no verdict when clamd dies in the middle, and the upload is not held up', async () => {
    open();
    peer.onBytes = (socket, bytes) => bytes > 1_000_000 && socket.destroy();
    const pieces = Array.from({ length: 40 }, () => Buffer.alloc(100_000));
    expect(await verdict(scanner.begin('ann'), ...pieces)).toMatchObject({ result: 'error' });
    expect(reports).toHaveLength(1);
  });

  it('gives no verdict when clamd is silent for too long', async () => {
    open({ timeoutSeconds: 0.1 });
    peer.answer = () => undefined;
    expect(await verdict(scanner.begin('ann'), 'x')).toMatchObject({ result: 'error', detail: 'no answer within 0.1 seconds' });
  });

  it.each([
    ['refuse', 'too-large'],
    ['release', 'unscanned'],
  ])('answers as configured (%s) for a file that is larger than what is scanned', async (whenLarger, result) => {
    open({ maxBytes: 1_000, whenLarger });
    expect(await verdict(scanner.begin('ann'), Buffer.alloc(600), Buffer.alloc(600))).toMatchObject({ result, detail: expect.stringContaining('1000 bytes') });
    peer.answer = () => 'INSTREAM size limit exceeded. ERROR';
    expect(await verdict(scanner.begin('ann'), Buffer.alloc(900))).toMatchObject({ result, detail: expect.stringContaining('StreamMaxLength') });
  });

  it('takes an answer it does not know for no verdict', async () => {
    open();
    peer.answer = () => "stream: Can't allocate memory ERROR";
    expect(await verdict(scanner.begin('ann'), 'x')).toMatchObject({ result: 'error' });
  });
});

describe('the settings of clamd', () => {
  it.each([{}, { socket: '/run/clamd', host: 'localhost' }])('want a socket or a host: %j', (place) => {
    expect(antivirusSchema.safeParse({ kind: 'clamd', ...place }).error?.issues[0]?.message).toBe('name either `socket` or `host`');
  });
});

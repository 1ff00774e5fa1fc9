/** Receipts: as they are asked for, written and read. */
import {
  as2Names,
  askReceipt,
  compareMic,
  type KeyPair,
  type Mic,
  type ReceiptOptions,
  receiptRequest,
  writeAs2Name,
  writeReceipt,
} from '../../../../server/as2/message';
import { open, pair, payload, refusal, seal } from './partners';

let partner: KeyPair;
let stranger: KeyPair;
beforeAll(async () => {
  [partner, stranger] = (await Promise.all([pair(true), pair(false)])) as [KeyPair, KeyPair];
});

const MIC: Mic = { algorithm: 'sha256', name: 'sha256', value: Buffer.alloc(32, 7).toString('base64') };
const RECEIPT: ReceiptOptions = {
  messageId: '<r@us.example>',
  originalMessageId: '<1@them.example>',
  finalRecipient: 'US',
  text: 'Angenommen: größer.edi\nThank you.',
  mic: MIC,
};
const received = async (options: ReceiptOptions, signers: readonly KeyPair[] = [partner]) => {
  const { headers, body } = await writeReceipt(options);
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return open({ headers: lower, body }, { decryption: [], signers: signers.map(({ certificate }) => certificate) });
};

test('a receipt says what became of a message', async () => {
  const { receipt, signer, payloads } = await received(RECEIPT);
  expect(receipt).toMatchObject({
    text: 'Angenommen: größer.edi\r\nThank you.',
    originalMessageId: '<1@them.example>',
    finalRecipient: 'US',
    disposition: 'automatic-action/MDN-sent-automatically; processed',
    processed: true,
    modifier: undefined,
    mic: MIC,
  });
  expect([signer, payloads]).toEqual([undefined, 0]);
});

test('a signed one says by whom', async () => {
  const signed = { ...RECEIPT, sign: { by: partner, digest: 'sha512' } } as const;
  const { receipt, signer } = await received(signed);
  expect(signer).toBe(partner.certificate);
  expect(receipt!.processed).toBe(true);
  expect(await refusal(received(signed, [stranger]))).toBe('authentication-failed');
  expect(
    await refusal(received({ ...signed, sign: { by: { ...partner, certificate: stranger.certificate, key: partner.key }, digest: 'sha256' } }, [stranger])),
  ).toBe('authentication-failed');
});

test('failures and warnings', async () => {
  expect((await received({ ...RECEIPT, failure: 'decryption-failed', mic: undefined })).receipt).toMatchObject({
    processed: false,
    modifier: 'error: decryption-failed',
    mic: undefined,
  });
  expect((await received({ ...RECEIPT, failure: 'unsupported MIC-algorithms' })).receipt).toMatchObject({
    processed: false,
    modifier: 'failure: unsupported mic-algorithms',
  });
  expect((await received({ ...RECEIPT, warning: 'duplicate-document' })).receipt).toMatchObject({ processed: true, modifier: 'warning: duplicate-document' });
});

test('what a stranger wrote begins no field of its own', async () => {
  const { receipt } = await received({
    ...RECEIPT,
    originalMessageId: '<x>\r\nDisposition: automatic-action/MDN-sent-automatically; processed',
    failure: 'decryption-failed',
  });
  expect(receipt!.processed).toBe(false);
});

test('receipts as peers write them', async () => {
  const report = (fields: string) => ({
    headers: { 'content-type': 'multipart/report; report-type="disposition-notification"; boundary="b"' },
    body: Buffer.from(`--b\r\n\r\nok\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n${fields}\r\n--b--`),
  });
  const fields = async (text: string) => (await open(report(text), { decryption: [], signers: [] })).receipt!;
  const openAs2 = await fields(
    'Reporting-UA: OpenAS2\r\nOriginal-Message-ID: <1>\r\nDisposition: Automatic-Action/MDN-Sent-Automatically; Processed/Error: Authentication-Failed\r\nReceived-Content-MIC: AAAA, SHA-256\r\n',
  );
  expect(openAs2).toMatchObject({ processed: false, modifier: 'error: authentication-failed', mic: { algorithm: 'sha256', name: 'SHA-256', value: 'AAAA' } });
  expect(await fields('Disposition:automatic-action/MDN-sent-automatically;processed\r\nReceived-content-MIC: AAAA\r\n')).toMatchObject({
    processed: true,
    mic: { algorithm: 'sha1' },
  });
  expect(await fields('Disposition: automatic-action/MDN-sent-automatically; failed/Failure: sender-equals-receiver')).toMatchObject({ processed: false });
  expect(await fields('Disposition: automatic-action/MDN-sent-automatically; displayed')).toMatchObject({ processed: false });
  expect(await fields('\r\nDisposition: manual-action/MDN-sent-manually; processed\r\nReceived-content-MIC: AAAA, md5')).toMatchObject({
    processed: true,
    mic: undefined,
  });
  expect(await refusal(open({ ...report(''), body: Buffer.from('--b\r\n\r\nok\r\n--b--') }, { decryption: [], signers: [] }))).toBe(
    'unexpected-processing-error',
  );
  expect(await refusal(open(report('x: y'.repeat(1000)), { decryption: [], signers: [] }, { receiptBytes: 1000 }))).toBe('unexpected-processing-error');
});

test('the MIC of a receipt is compared with those of what was sent', async () => {
  const { mics } = await seal([payload('x')], { sign: { by: partner, digest: 'sha256' }, furtherMics: ['sha1'] });
  const receipt = (mic: Mic | undefined) => ({ mic }) as never;
  expect(compareMic(receipt(mics[0]), mics)).toBe('same');
  expect(compareMic(receipt({ ...mics[1]!, name: 'SHA1' }), mics)).toBe('same');
  expect(compareMic(receipt(MIC), mics)).toBe('different');
  expect(compareMic(receipt({ ...mics[0]!, value: 'AA==' }), mics)).toBe('different');
  expect(compareMic(receipt(undefined), mics)).toBe('none');
  expect(compareMic(receipt({ ...MIC, algorithm: 'sha512' }), mics)).toBe('unknown');
});

test('of what is compressed before it is signed, the MIC of what it was before counts as well', async () => {
  const sign = { by: partner, digest: 'sha256' } as const;
  const { mics } = await seal([payload('x')], { sign, compress: 'before-signing' });
  const plain = (await seal([payload('x')], { sign })).mics[0]!;
  expect(mics).toEqual([expect.anything(), plain]);
  expect(mics[0]).not.toEqual(plain);
  expect(compareMic({ mic: plain } as never, mics)).toBe('same');
});

test('how a message wants to be receipted', () => {
  expect(receiptRequest({})).toEqual({ wanted: false, signed: false, impossible: false, micAlgorithms: [], deliverTo: undefined });
  const asked = askReceipt({ to: 'edi@us.example', signed: true, micAlgorithms: ['sha-256', 'sha1'], deliverTo: 'https://us.example/as2' });
  const lower = Object.fromEntries(Object.entries(asked).map(([name, value]) => [name.toLowerCase(), value]));
  expect(receiptRequest(lower)).toEqual({
    wanted: true,
    signed: true,
    impossible: false,
    micAlgorithms: ['sha-256', 'sha1'],
    deliverTo: 'https://us.example/as2',
  });
  const options = (text: string) => receiptRequest({ 'disposition-notification-to': 'x', 'disposition-notification-options': text });
  expect(options('signed-receipt-protocol=required,pkcs7-signature;signed-receipt-micalg=required,md2')).toMatchObject({ signed: true, impossible: true });
  expect(options('signed-receipt-protocol=required, pgp-signature')).toMatchObject({ signed: false, impossible: true });
  expect(options('signed-receipt-protocol="optional", pkcs7-signature; signed-receipt-micalg=optional, SHA256')).toMatchObject({
    signed: true,
    micAlgorithms: ['SHA256'],
  });
});

test('the names of both sides', async () => {
  expect(as2Names({ 'as2-from': '"Acme \\"EDI\\""', 'as2-to': 'US' })).toEqual({ from: 'Acme "EDI"', to: 'US' });
  for (const name of ['US', 'Acme "EDI" \\ 1', 'a;b']) expect(as2Names({ 'as2-from': writeAs2Name(name), 'as2-to': 'other' }).from).toBe(name);
  const refused = async (from: string | undefined, to: string) => refusal(Promise.resolve().then(() => as2Names({ 'as2-from': from, 'as2-to': to })));
  expect(await refused('US', '"US"')).toBe('sender-equals-receiver');
  expect(await refused(undefined, 'US')).toBe('unexpected-processing-error');
  expect(await refused('x'.repeat(129), 'US')).toBe('unexpected-processing-error');
  expect(await refused('größer', 'US')).toBe('unexpected-processing-error');
});

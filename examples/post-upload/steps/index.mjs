/**
 * What happens to an upload: kept as it came, decrypted where it is encrypted, tagged, and taken out of the account's folder. Each step is a
 * run of its own, may be repeated, and does nothing where a run before has done it: events come at least once.
 */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { decrypt, decryptKey, readMessage, readPrivateKey } from 'openpgp';

const s3 = new S3Client({});
const secrets = new SecretsManagerClient({});
/** What is decrypted is held in memory, twice; a Lambda of 1769 MB has room for it. Bytes. */
const LARGEST = 256 * 1024 * 1024;

const steps = { copy, decrypt: decryptInto, tag, remove };

/** `upload` is the detail of the event (docs/upload-released.schema.json). */
export async function handler({ step, upload }) {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(upload.file);
  // A path is text that a stranger chose. In a key it leads nowhere; do not make a path of a host of it.
  const name = `${upload.user}${upload.path}`;
  const plainName = name.replace(/\.(pgp|gpg|asc)$/i, '');
  const kept = { Bucket: process.env.ARCHIVE, Key: `${name}/${upload.id}` };
  return { id: upload.id, ...(await steps[step]({ upload, source: { Bucket: bucket, Key: key }, kept, name, plainName })) };
}

/** As it came, under its id, so that a file that comes twice under one name is kept twice. `over`: all that follows was done as well. */
async function copy({ source, kept }) {
  const [there, copied] = [await find(source), await find(kept)];
  if (!copied) await s3.send(new CopyObjectCommand({ ...kept, CopySource: copySource(source) }));
  return { over: copied !== undefined && there === undefined };
}

/** Out of PGP where the name says that it is in it; anything else goes on as it is. */
async function decryptInto({ upload, kept, name, plainName }) {
  const to = { Bucket: process.env.INBOX, Key: plainName };
  if (plainName === name) {
    await s3.send(new CopyObjectCommand({ ...to, CopySource: copySource(kept) }));
    return;
  }
  if (upload.bytes > LARGEST) throw new Error(`${name} has ${upload.bytes} bytes; the step takes ${LARGEST}`);
  const { Body } = await s3.send(new GetObjectCommand(kept));
  const bytes = await Body.transformToByteArray();
  const isArmored = Buffer.from(bytes.subarray(0, 10)).toString() === '-----BEGIN';
  const message = await readMessage(isArmored ? { armoredMessage: Buffer.from(bytes).toString() } : { binaryMessage: bytes });
  const { data } = await decrypt({ message, decryptionKeys: await privateKey(), format: 'binary' });
  await s3.send(new PutObjectCommand({ ...to, Body: data }));
}

/** What whoever works with it wants to know, beside the file. */
async function tag({ upload, plainName }) {
  const TagSet = Object.entries({ account: upload.user, session: upload.session, sha256: upload.sha256, verdict: upload.verdict?.result })
    .filter(([, value]) => value !== undefined)
    .map(([Key, Value]) => ({ Key, Value }));
  await s3.send(new PutObjectTaggingCommand({ Bucket: process.env.INBOX, Key: plainName, Tagging: { TagSet } }));
}

/** Out of the account's folder, unless another file has the name by now: that one has an event of its own. */
async function remove({ upload, source }) {
  const there = await find(source);
  if (there?.ContentLength === upload.bytes) await s3.send(new DeleteObjectCommand({ ...source, IfMatch: there.ETag }));
}

/** What S3 knows of an object; undefined where there is none. */
async function find(object) {
  return s3.send(new HeadObjectCommand(object)).catch((error) => {
    if (error.name === 'NotFound') return undefined;
    throw error;
  });
}

async function privateKey() {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: process.env.PGP_KEY }));
  const { privateKey: armoredKey, passphrase } = JSON.parse(SecretString);
  const key = await readPrivateKey({ armoredKey });
  return passphrase === undefined ? key : decryptKey({ privateKey: key, passphrase });
}

const copySource = ({ Bucket, Key }) => `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`;

import { createOnce } from '../../../../../server/files/storage/s3/create-once';

const answer = (status: number) => Object.assign(new Error(String(status)), { $metadata: { httpStatusCode: status } });
/** One try after the other ends so; the last one's end stays. */
function tries(...statuses: readonly number[]): () => Promise<void> {
  let at = 0;
  return async () => {
    const status = statuses[Math.min(at++, statuses.length - 1)]!;
    if (status !== 200) throw answer(status);
  };
}

it('is created where nothing has the name, and not where something has', async () => {
  expect(await createOnce(tries(200))).toBe(true);
  expect(await createOnce(tries(412))).toBe(false);
});

it('is tried again where S3 refuses two at once, until one of them has it', async () => {
  expect(await createOnce(tries(409, 409, 200))).toBe(true);
  expect(await createOnce(tries(409, 412))).toBe(false);
});

it('that goes on for ever, or fails otherwise, is an error of the storage, and no name that is taken', async () => {
  await expect(createOnce(tries(409))).rejects.toMatchObject({ code: 'unavailable' });
  await expect(createOnce(tries(503))).rejects.toMatchObject({ code: 'unavailable' });
});

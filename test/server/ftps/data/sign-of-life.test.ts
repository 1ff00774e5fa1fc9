/** New sessions leave with the next turn of the event loop, unless that has cost a client a delayed acknowledgement. */
import { setImmediate as turn } from 'node:timers/promises';
import { SignOfLife } from '../../../../server/ftps/data/sign-of-life';

afterEach(() => jest.restoreAllMocks());

/** One upload, of which the end comes so long after the sign. Answers whether the sign left with the next turn of the event loop. */
async function upload(sign: SignOfLife, milliseconds: number): Promise<boolean> {
  let now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  let sent!: () => void;
  const left = new Promise<void>((resolve) => {
    sent = resolve;
  });
  const release = jest.fn(sent);
  const ended = sign.send(release);
  expect(release).not.toHaveBeenCalled();
  await turn();
  const atOnce = release.mock.calls.length === 1;
  await left;
  now += milliseconds;
  ended();
  return atOnce;
}

async function uploads(sign: SignOfLife, count: number, milliseconds: number): Promise<number> {
  let atOnce = 0;
  for (let done = 0; done < count; done += 1) atOnce += Number(await upload(sign, milliseconds));
  return atOnce;
}

it('leave at once for a client whose ends are in time', async () => {
  expect(await uploads(new SignOfLife(), 40, 1)).toBe(40);
});

it('wait a moment in the upload behind one whose end was late, and at once again after it', async () => {
  const sign = new SignOfLife();
  expect([await upload(sign, 40), await upload(sign, 1), await upload(sign, 1)]).toEqual([true, false, true]);
});

it('wait in more and more uploads of a client whose ends are late each time', async () => {
  const sign = new SignOfLife();
  // The 1st, the 3rd, the 6th, the 11th, the 20th and the 37th.
  expect(await uploads(sign, 40, 40)).toBe(6);
});

it('wait in one alone where many were in time before', async () => {
  const sign = new SignOfLife();
  await uploads(sign, 37, 40);
  await uploads(sign, 32 + 32, 1);
  expect([await upload(sign, 40), await upload(sign, 1), await upload(sign, 1)]).toEqual([true, false, true]);
});

it('are not thought late where the end comes first', async () => {
  const sign = new SignOfLife();
  const ended = sign.send(() => {});
  ended();
  await turn();
  expect(await upload(sign, 1)).toBe(true);
});

import { FairTurns } from '../../../server/files/fair-turns';

const never = new AbortController().signal;

it('slow work has its turns by owner, however much one of them asks for', async () => {
  const turns = new FairTurns(2);
  const order: string[] = [];
  const work = async (owner: string) => {
    const giveBack = await turns.take(owner, never);
    order.push(owner);
    await new Promise(setImmediate);
    giveBack();
    giveBack(); // once is enough
  };
  await Promise.all([...Array.from({ length: 5 }, () => work('greedy')), work('ann'), work('ben')]);
  expect(order.slice(0, 3)).toEqual(['greedy', 'ann', 'ben']);
  expect(order).toHaveLength(7);
});

it('a place that is waited for can be given up, and is had by the next', async () => {
  const turns = new FairTurns(1);
  const giveBack = await turns.take('ann', never);
  const gone = new AbortController();
  const waiting = turns.take('ben', gone.signal);
  const next = turns.take('carl', never);
  gone.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  giveBack();
  (await next)();
  await expect(turns.take('ann', gone.signal)).rejects.toThrow('gone');
});

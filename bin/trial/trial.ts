/**
 * One trial in a sandbox account, from nothing to nothing: preflight, a deployment of staging under a throw-away name, transfers in both modes, the doctor, a
 * patched image, another certificate, the deletion, and what it leaves. Asks before it spends. Each step is told with how long it took; the first that
 * fails ends the trial, and the deletion is offered all the same.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOf, type Resource } from '../costs/bill';
import { HOURS, prices } from '../costs/prices';
import { buildOf, factsOf, fleetOf, leftBehind, type StackFacts, startBuild } from './account';
import type { Door, World } from './world';

export interface Trial {
  /** Throw-away name of the environment, like `trial-1a2b`. */
  readonly name: string;
  readonly host: string;
  readonly zoneId: string;
  /** What `cdk` writes to and deploys from. */
  readonly assembly: string;
  /** Asks nothing and goes on. */
  readonly yes?: boolean;
  /** Milliseconds between two looks, and for how many looks something is waited for. */
  readonly every?: number;
  readonly looks?: number;
}

export interface Step {
  readonly step: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly why?: string;
}

export interface Report {
  readonly steps: readonly Step[];
  readonly left: readonly string[];
}

/** Hours that a trial takes when all goes well: two image builds, two roll-outs. */
const TRIAL_HOURS = 3;

export async function trial(options: Trial, world: World): Promise<Report> {
  const { name, host, zoneId, assembly } = options;
  const stacks = [`ftps-${name}-data`, `ftps-${name}`];
  const steps: Step[] = [];
  const step = async (words: string, act: () => Promise<unknown>) => {
    if (steps.some(({ passed }) => !passed)) return;
    steps.push(await timed(words, act, world));
  };
  const cdk = (...args: string[]) => succeed(world, 'cdk', args);
  const app = ['--app', 'npx tsx bin/trial/app.ts', '--output', assembly];

  await step('synthesize', () => cdk('synth', '--quiet', ...app, '**'));
  if (steps.every(({ passed }) => passed) && !(await agreed(options, world))) return { steps, left: [] };
  await step('preflight', () => succeed(world, 'ftps', ['preflight', '--environment', name, '--assembly', assembly]));
  const clear = steps.every(({ passed }) => passed);
  if (!clear) return { steps, left: [] }; // nothing was made, so there is nothing to take back

  let facts: StackFacts = { outputs: new Map(), resources: new Map() };
  let door: Door = { host, user: 'trial', password: '' };
  const output = (part: string) => [...facts.outputs].find(([key]) => key.includes(part))?.[1] ?? fail(`the stacks have no output ${part}`);
  const resource = (type: string) => facts.resources.get(type)?.[0] ?? fail(`the stacks have no ${type}`);
  const serves = async () => {
    await eventually(options, world, 'an answer of the service', async () => ((await world.doctor(door)).code === 0 ? true : undefined));
    await world.transfer(door);
  };

  await step('deploy', async () => {
    await cdk('deploy', '--app', assembly, '--require-approval', 'never', '**');
    facts = await factsOf(stacks);
  });
  await step('make an account', async () => {
    const { output: said } = await succeed(world, 'ftps', [
      'user',
      'add',
      door.user,
      '--prefix',
      output('AccountsPrefix'),
      '--kms-key',
      output('AccountsKey'),
      '--generate',
    ]);
    door = { ...door, password: said.trim().split('\n')[0]!.trim() };
  });
  await step('doctor, and transfers in both modes', serves);
  await step('roll a patched image', async () => {
    const build = await startBuild(resource('AWS::ImageBuilder::ImagePipeline'));
    const group = resource('AWS::AutoScaling::AutoScalingGroup');
    const { ami } = await eventually(options, world, 'the image', async () => {
      const seen = await buildOf(build);
      if (['FAILED', 'CANCELLED', 'DELETED'].includes(seen.status)) fail(`the build of the image ended as ${seen.status}: ${seen.reason}`);
      return seen.status === 'AVAILABLE' ? seen : undefined;
    });
    world.say(`  image ${ami}`);
    await eventually(options, world, 'the roll-out', async () => {
      const { refresh, reason } = await fleetOf(group);
      if (/^(Failed|Cancelled|Rollback)/.test(refresh)) fail(`the roll-out ended as ${refresh}: ${reason}`);
      return refresh === 'Successful' ? true : undefined;
    });
  });
  await step('doctor, and transfers with the new image', serves);
  await step('rotate the certificate', async () => {
    await succeed(world, 'ftps', ['certificate', 'rotate', '--function', output('CertificateRotation')]);
    await serves();
  });

  let left: readonly string[] = [];
  const passed = steps.every((one) => one.passed);
  if (
    !passed &&
    !options.yes &&
    !/^y/i.test(await world.ask(`A step failed. Destroy ${stacks.join(' and ')} now (y), or keep them to look at, at their price (n)? `))
  ) {
    world.say(`Kept. Destroy them with: npx cdk destroy --app ${assembly} --force '**'`);
    return { steps, left: stacks.map((stack) => `stack ${stack}`) };
  }
  steps.push(
    await timed(
      'destroy',
      async () => {
        if (facts.outputs.size > 0) await world.run('ftps', ['user', 'remove', door.user, '--prefix', output('AccountsPrefix')]);
        await cdk('destroy', '--app', assembly, '--force', '**');
      },
      world,
    ),
  );
  steps.push(
    await timed(
      'list what is left',
      async () => {
        left = await leftBehind(name, host, zoneId);
        for (const one of left) world.say(`  left: ${one}`);
      },
      world,
    ),
  );
  return { steps, left };
}

/** Says what it will cost, and waits for a yes. */
async function agreed({ name, assembly, yes }: Trial, world: World): Promise<boolean> {
  const folder = join(assembly, `assembly-${name}`);
  const resources = readdirSync(folder)
    .filter((file) => file.endsWith('.template.json'))
    .flatMap((file) => Object.values(JSON.parse(readFileSync(join(folder, file), 'utf8')).Resources as Record<string, Resource>));
  const bill = billOf(resources);
  const names = resources.filter(({ Type }) => Type === 'AWS::CertificateManager::Certificate').length;
  const running = (bill.usd / HOURS) * TRIAL_HOURS;
  // A certificate is paid whole when it is issued, and a key for the days until its deletion.
  const whole = names * prices.certificateName.usd;
  world.say(
    `This deploys staging as ftps-${name} into the account of your credentials, for about ${TRIAL_HOURS} hours: about ${(running + whole).toFixed(2)} USD, ${whole.toFixed(2)} of them for the certificate. A kept environment costs about ${Math.round(bill.usd)} USD a month.`,
  );
  return yes === true || /^y/i.test(await world.ask('Go on (y/n)? '));
}

async function timed(step: string, act: () => Promise<unknown>, world: World): Promise<Step> {
  world.say(`${step} …`);
  const begun = Date.now();
  const seconds = () => Math.round((Date.now() - begun) / 1000);
  try {
    await act();
    world.say(`${step}: done in ${seconds()} s`);
    return { step, passed: true, seconds: seconds() };
  } catch (error) {
    const why = (error as Error).message;
    world.say(`${step}: FAILED after ${seconds()} s: ${why}`);
    return { step, passed: false, seconds: seconds(), why };
  }
}

async function succeed(world: World, program: 'cdk' | 'ftps', args: readonly string[]) {
  const ran = await world.run(program, args);
  if (ran.code !== 0) fail(`${program} ${args[0]} ended with ${ran.code}`);
  return ran;
}

async function eventually<Found>({ every = 15_000, looks = 480 }: Trial, world: World, what: string, look: () => Promise<Found | undefined>): Promise<Found> {
  for (let count = 0; count < looks; count++) {
    const found = await look();
    if (found !== undefined) return found;
    await world.pause(every);
  }
  return fail(`${what} did not come in ${Math.round((every * looks) / 60_000)} minutes`);
}

function fail(message: string): never {
  throw new Error(message);
}

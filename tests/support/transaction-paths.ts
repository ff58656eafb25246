import { isDeepStrictEqual } from "node:util";
import { FAULTS, type Fault } from "./faults";
import type { Json } from "./memory-engine";
import { World, type ResourceKind } from "./resource-world";

/** What follows a failed operation. */
type Ending = { refresh: boolean; failAgain: boolean; goal: { up: Json } | "destroy" };

export interface Counts {
  /** Operations with a failed step. */
  steps: number;
  /** Sequences of operations that ended in a compared state. */
  paths: number;
}

/** Numbers from a seed, so that a failed run can be repeated. */
function choices(seed: number): (count: number) => number {
  let state = seed >>> 0;
  return (count) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
}

/**
 * Fails every remote step of a create, an update and a delete of one resource, continues in one of the ways that a user
 * has, and compares the machine and the API with those that never saw a failure.
 */
export class TransactionPaths {
  readonly counts: Counts = { steps: 0, paths: 0 };
  private readonly choose: (count: number) => number;

  constructor(
    private readonly kind: ResourceKind,
    private readonly caCertificate: string,
    private readonly programs: readonly [Json, Json, Json],
    seed: number,
  ) {
    this.choose = choices(seed);
  }

  async run(): Promise<void> {
    const [a, b, c] = this.programs;
    await this.failEachStep(
      "create",
      async () => undefined,
      async (world) => void (await world.up(b)),
      [b, c],
    );
    const created = async (world: World) => void (await world.up(a));
    await this.failEachStep("update", created, async (world) => void (await world.up(b)), [a, b, c]);
    await this.failEachStep("delete", created, (world) => world.engine.destroy(), [a]);
  }

  private world(): World {
    return new World(this.kind, this.caCertificate);
  }

  private async failEachStep(
    operation: string,
    prepare: (world: World) => Promise<void>,
    run: (world: World) => Promise<void>,
    targets: readonly Json[],
  ): Promise<void> {
    const reachable = targets.filter((program) => !this.kind.fails?.(program));
    const count = await this.countSteps(prepare, run);
    for (let step = 1; step <= count; step++) {
      const fault = this.pick(FAULTS);
      const world = this.world();
      await prepare(world);
      await this.runWithFault(world, run, step, fault);
      this.counts.steps++;
      const ending = this.chooseEnding(operation, reachable);
      const path = `${operation}, ${fault} step ${step} of ${count}, then ${describeEnding(ending)}`;
      await this.finish(world, ending, path);
    }
  }

  private async countSteps(prepare: (world: World) => Promise<void>, run: (world: World) => Promise<void>) {
    const world = this.world();
    await prepare(world);
    world.faults.disarm();
    await run(world).catch(() => undefined);
    return world.faults.steps;
  }

  private async runWithFault(world: World, run: (world: World) => Promise<void>, step: number, fault: Fault) {
    world.faults.arm(step, fault, () => world.engine.tasks.cancel());
    await run(world).catch(() => undefined);
    world.faults.disarm();
  }

  /** A failed delete is followed by another one, or by a refresh and an `up`: without a refresh nothing shows it. */
  private chooseEnding(operation: string, targets: readonly Json[]): Ending {
    const isDestroy = this.choose(3) === 0;
    return {
      refresh: this.choose(2) === 0 || (operation === "delete" && !isDestroy),
      failAgain: this.choose(3) === 0,
      goal: isDestroy ? "destroy" : { up: this.pick(targets) },
    };
  }

  private async finish(world: World, { refresh, failAgain, goal }: Ending, path: string): Promise<void> {
    const run = async (one: World) => {
      if (goal === "destroy") await one.engine.destroy();
      else await one.up(goal.up);
    };
    if (refresh) await world.engine.refresh();
    if (failAgain) await this.runWithFault(world, run, 1 + this.choose(4), this.pick(FAULTS));
    await run(world).catch((error: Error) => Promise.reject(new Error(`${path}: ${error.message}`, { cause: error })));
    const expected = goal === "destroy" ? await this.destroyed(world) : await this.reference(goal.up);
    this.compare(world, expected, path);
    if (goal !== "destroy") this.kind.verify?.(world, goal.up);
    if (goal !== "destroy") await this.expectSettled(world, goal.up, path);
    this.counts.paths++;
  }

  private async reference(program: Json) {
    const world = this.world();
    await world.up(program);
    return world.snapshot();
  }

  /** The state after a delete: that before the create, with the exceptions of the kind. */
  private async destroyed(world: World) {
    const reference = this.world();
    this.kind.leaves?.apply(reference, world);
    return reference.snapshot();
  }

  private compare(world: World, expected: object, path: string): void {
    const actual = world.snapshot();
    if (isDeepStrictEqual(actual, expected)) return;
    const show = (value: unknown) => JSON.stringify(value, undefined, 1);
    throw new Error(`${path}: the state differs\nexpected ${show(expected)}\nactual ${show(actual)}`);
  }

  /** Another run changes nothing, and nothing is recorded as unfinished. */
  private async expectSettled(world: World, program: Json, path: string): Promise<void> {
    const operations = await world.up(program);
    if (operations.length > 0) throw new Error(`${path}: the next run repeats ${operations.join(", ")}`);
    const { outputs = {} } = world.engine.state ?? {};
    if ("__unfinished" in outputs) throw new Error(`${path}: the state is still unfinished`);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.choose(list.length)] as T;
  }
}

function describeEnding({ refresh, failAgain, goal }: Ending): string {
  const steps = [...(refresh ? ["refresh"] : []), ...(failAgain ? ["a second fault"] : [])];
  return [...steps, goal === "destroy" ? "destroy" : `up ${JSON.stringify(goal.up)}`].join(", ");
}

import { setTimeout as sleep } from "node:timers/promises";

/** Resources that the engine begins together come within a few milliseconds of one another. */
const GATHER_MS = 150;

/** Calls that come at about the same time are done as one; rounds follow one another. The engine knows single machines, `vagrant up` takes many. */
export class Gatherer<Item, Result> {
  private waiting: { item: Item; done: (result: Promise<Result>) => void }[] = [];
  private turning: Promise<void> | undefined;

  /** @param work does it for all; throws what all of them are told */
  constructor(private readonly work: (items: Item[]) => Promise<(item: Item) => Promise<Result>>) {}

  add(item: Item): Promise<Result> {
    const result = new Promise<Result>((done) => this.waiting.push({ item, done }));
    this.turning ??= this.turn().finally(() => (this.turning = undefined));
    return result;
  }

  private async turn(): Promise<void> {
    while (this.waiting.length > 0) {
      await sleep(GATHER_MS);
      const round = this.waiting;
      this.waiting = [];
      const outcome = this.work(round.map(({ item }) => item));
      await outcome.catch(() => undefined);
      for (const { item, done } of round) done(outcome.then((resultOf) => resultOf(item)));
    }
  }
}

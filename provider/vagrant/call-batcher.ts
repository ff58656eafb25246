import { setTimeout as sleep } from "node:timers/promises";

/** The engine starts parallel resources within a few milliseconds. */
const COLLECT_MS = 150;

/**
 * Batches calls: those that arrive at about the same time are processed together, and batches run one after another.
 * The engine calls the provider once per machine, but `vagrant up` takes many machines.
 */
export class CallBatcher<Item, Result> {
  private waiting: { item: Item; resolve: (result: Promise<Result>) => void }[] = [];
  private running: Promise<void> | undefined;

  /** @param work Processes a batch and returns a function to each item's result. Its error fails all items. */
  constructor(private readonly work: (items: Item[]) => Promise<(item: Item) => Promise<Result>>) {}

  add(item: Item): Promise<Result> {
    const result = new Promise<Result>((resolve) => this.waiting.push({ item, resolve }));
    this.running ??= this.runBatches().finally(() => (this.running = undefined));
    return result;
  }

  private async runBatches(): Promise<void> {
    while (this.waiting.length > 0) {
      await sleep(COLLECT_MS);
      const batch = this.waiting;
      this.waiting = [];
      const outcome = this.work(batch.map(({ item }) => item));
      await outcome.catch(() => undefined);
      for (const { item, resolve } of batch) resolve(outcome.then((resultOf) => resultOf(item)));
    }
  }
}

import { drain } from "../../provider/kube/drain";
import type { DrainOptions } from "../../provider/kube/drain-options";
import { type FakeCluster, fakeCluster } from "./fake-cluster";
import type { MemoryApi } from "./memory-api";

/** A cluster of the nodes a and b, of which a can be drained. */
export interface DrainedNode {
  memory: MemoryApi;
  cluster: FakeCluster;
  /** What the drain reports. */
  messages: string[];
  /** Drains node a. @param options of the drain; its deadline is 20 s */
  drainNode(options?: Partial<DrainOptions>): ReturnType<typeof drain>;
}

export async function drainedNode(): Promise<DrainedNode> {
  const { memory, cluster } = await fakeCluster("a", "b");
  const messages: string[] = [];
  cluster.run();
  const defaults = { node: "a", timeout: 20, status: (text: string) => messages.push(text) };
  const drainNode = (options: Partial<DrainOptions> = {}) =>
    drain(memory.api, { ...defaults, signal: new AbortController().signal, ...options });
  return { memory, cluster, messages, drainNode };
}

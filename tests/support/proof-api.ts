import type { KubeApi } from "../../provider/kube/api";

type Request = (args: { name?: string }) => unknown;

/** The requests by which a restored cluster is proved. Each of them succeeds unless another answer is given. */
export function proofApi(answers: Record<string, Request> = {}): { api: KubeApi; calls: string[] } {
  const calls: string[] = [];
  const decided = { status: { conditions: [{ type: "PodScheduled", status: "False" }] } };
  const all: Record<string, Request> = {
    listSecretForAllNamespaces: () => ({ items: [] }),
    createNamespace: () => ({}),
    readNamespacedServiceAccount: () => ({}),
    createNamespacedPod: () => ({}),
    readNamespacedPod: () => decided,
    deleteNamespace: () => ({}),
    ...answers,
  };
  const core = Object.fromEntries(
    Object.entries(all).map(([name, answer]) => [
      name,
      async (args: { name?: string }) => {
        calls.push(name);
        await Promise.resolve();
        return await answer(args);
      },
    ]),
  );
  return { api: { core, patience: 1 } as unknown as KubeApi, calls };
}

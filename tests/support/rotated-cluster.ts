import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { BackedUpCluster } from "./backed-up-cluster";
import { nodeNames, waitForNodes, waitForPods } from "./cluster-client";
import { loadSince } from "./load-client";
import type { Finished } from "./test-stack";

const PKI = "/etc/kubernetes/pki";

/** A cluster under load whose CAs are replaced. */
export class RotatedCluster extends BackedUpCluster {
  /** Runs the next phase, and proves the cluster: no failed request, the same pods, and nothing to replace. */
  async rotate(phase: string, ...args: string[]): Promise<Finished> {
    const [started, before, pods] = [Date.now(), this.client.mark(), await this.servingPods()];
    const result = await this.stack.npmRun("rotate-ca", "--yes", ...args);
    this.report(`phase ${phase}`, started);
    expect(result.code, result.text).toBe(0);
    expect(result.text).toContain(`Phase ${phase} is done on all machines`);
    expect(loadSince(before, this.client).failed, this.client.load.failures.join("\n")).toBe(0);
    expect(await this.servingPods()).toBe(pods);
    await this.prove();
    return result;
  }

  /** Proves nodes, pods and controllers, and that an update takes the cluster for the one that it is. */
  async prove(): Promise<void> {
    await this.connect();
    await waitForNodes(this.kubectl, ...(await nodeNames(this.kubectl)));
    await waitForPods(this.kubectl);
    await this.stack.check();
    const preview = await this.stack.npmRun("preview", "--refresh");
    expect(preview.text).not.toMatch(/DISRUPTIONS|replaced?\b|\.yaml was changed/);
    const { code, text } = await this.stack.up("--yes", "--refresh");
    expect(code, text).toBe(0);
    expect((await this.stack.npmRun("drift")).code).toBe(0);
  }

  /** Replaces the pods that serve, as users do between the phases. */
  async restartWorkload(): Promise<void> {
    const old = (await this.kubectl("get", "pods", "-l", "app=web", "-o", "name")).trim().split("\n");
    await this.kubectl("rollout", "restart", "deploy/web");
    await this.kubectl("rollout", "status", "deploy/web", "--timeout=180s");
    await this.kubectl("wait", "--for=delete", ...old, "--timeout=60s");
  }

  /** Number of certificates in a file on a machine. */
  async count(machine: string, file: string): Promise<number> {
    return Number(await this.stack.on(machine, `grep -c BEGIN ${PKI}/${file}`));
  }

  /** Returns the text of the stack's kubeconfig. */
  async kubeconfigText(): Promise<string> {
    return readFileSync(await this.stack.kubeconfig(), "utf8");
  }
}

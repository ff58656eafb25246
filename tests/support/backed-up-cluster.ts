import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { until } from "../../common/wait";
import { networkName } from "../../provider/docker/network";
import { kubectlOf, type Kubectl } from "./cluster-client";
import { ConfigMapInformer } from "./config-map-informer";
import type { LoadClient } from "./load-client";
import { OwnMachine } from "./own-machine";
import { TestStack } from "./test-stack";
import { deployWorkload, startLoad } from "./workload";

const PER_SECOND = 20;
/** A ConfigMap that the controller manager creates in each namespace. */
const ROOT_CA = "kube-root-ca.crt";
export const PASSWORD = "the password of the suite";

/** A cluster with a repository for its backups, one worker that serves, and a client that asks it all the time. */
export class BackedUpCluster {
  readonly stack: TestStack;
  private readonly folder = mkdtempSync(join(tmpdir(), "kubewright-backup-"));
  readonly repository = join(this.folder, "repository");
  private outside: OwnMachine | undefined;
  private loadClient: LoadClient | undefined;
  private connected: Kubectl | undefined;
  informer: ConfigMapInformer | undefined;

  constructor(private readonly name: string) {
    this.stack = new TestStack(name);
  }

  get kubectl(): Kubectl {
    if (!this.connected) throw new Error("the cluster was not created");
    return this.connected;
  }

  get client(): LoadClient {
    if (!this.loadClient) throw new Error("the cluster was not created");
    return this.loadClient;
  }

  async create(...args: string[]): Promise<void> {
    const { stack } = this;
    await stack.down("--force"); // left by a killed test run
    const { code, text } = await stack.up("--config", "workers.count=1", "--config", "extras=true", ...args);
    expect(code, text).toBe(0);
    this.configure(this.repository);
    await this.setPassword(PASSWORD);
    await this.connect();
    await deployWorkload(stack, this.kubectl);
    const network = networkName(String((await stack.outputs()).stackId));
    this.outside = await OwnMachine.start({ hostname: "outside", network, hostNumber: 5 });
    this.loadClient = await startLoad(this.kubectl, { container: this.outside.container, perSecond: PER_SECOND });
  }

  /** Ends the clients, and removes the machine that one of them runs on: then the cluster's network can be removed. */
  async stopClients(): Promise<void> {
    await this.informer?.stop();
    await this.loadClient?.stop();
    await this.outside?.remove();
    this.outside = undefined;
  }

  async remove(): Promise<void> {
    await this.stopClients();
    await this.stack.down("--force");
    this.stack.removeFiles();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Reads the kubeconfig, which a new control plane has changed. */
  async connect(): Promise<void> {
    this.connected = await kubectlOf(this.stack);
  }

  configure(address: string): void {
    this.stack.configure((config) => {
      const before = config["kubewright:backup"] as object | undefined;
      config["kubewright:backup"] = { ...before, repository: address };
    });
  }

  async setPassword(password: string): Promise<void> {
    const args = ["config", "set", "--secret", "--path", "backup.password", password];
    const { code, text } = await this.stack.pulumiQuietly(...args);
    expect(code, text).toBe(0);
  }

  /** Returns the names of the ConfigMaps in the namespace `default` that a suite created. */
  async configMaps(): Promise<string[]> {
    const names = await this.kubectl("get", "configmaps", "-o", "jsonpath={.items[*].metadata.name}");
    return names.split(" ").filter((name) => name !== ROOT_CA);
  }

  async startInformer(): Promise<void> {
    this.informer = await ConfigMapInformer.start(await this.stack.kubeconfig());
  }

  /** Waits until the informer knows exactly these ConfigMaps. */
  async waitForInformer(...names: readonly string[]): Promise<void> {
    const known = () => (this.informer?.names() ?? []).filter((name) => name !== ROOT_CA);
    await until(async () => (known().join() === names.join() ? true : undefined), {
      signal: new AbortController().signal,
      timeout: 60,
      every: 500,
      onTimeout: () => new Error(`the informer knows ${known().join(", ")}, not ${names.join(", ")}`),
    });
  }

  /** Returns name, identity and restarts of the pods that serve. */
  async servingPods(): Promise<string> {
    const path = "{.metadata.name} {.metadata.uid} {.status.containerStatuses[0].restartCount}";
    return await this.kubectl("get", "pods", "-l", "app=web", "-o", `jsonpath={range .items[*]}${path}{"\\n"}{end}`);
  }

  report(what: string, started: number): void {
    const seconds = Math.round((Date.now() - started) / 1_000);
    const { total, failed } = this.client.load;
    process.stdout.write(`    ${this.name} │ ${what}: ${seconds} s; ${total} requests, ${failed} failed\n`);
  }
}

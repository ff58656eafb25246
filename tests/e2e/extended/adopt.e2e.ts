import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { output, run } from "../../../common/process";
import { networkName } from "../../../provider/docker/network";
import { ENCRYPTION_FILE } from "../../../render/encryption";
import { applyManifest, internalAddress, kubectlOf, type Kubectl } from "../../support/cluster-client";
import { LoadClient, waitForAnswers, type LoadSpec } from "../../support/load-client";
import { manifest } from "../../support/manifests";
import { OwnMachine } from "../../support/own-machine";
import { TestStack } from "../../support/test-stack";

/** `npm run adopt`: the state of a running cluster is lost. */
const NODES = ["control-plane-1", "worker-1"] as const;
const PER_SECOND = 20;
const LONGEST_SECONDS = 2_400;

const stack = new TestStack("e2e-adopt");
const folder = mkdtempSync(join(tmpdir(), "kubewright-adopt-"));
const containers: Record<string, string> = {};
let kubectl: Kubectl;
let outside: OwnMachine;
let client: LoadClient;
let before: Snapshot;

const stateFile = () => join(stack.stateFolder, ".pulumi", "stacks", "kubewright", `${stack.name}.json`);
const kubeconfig = () => join(stack.stackFolder, "kubeconfig");
const on = (node: string, script: string) => output("docker", ["exec", containers[node] ?? "", "sh", "-c", script]);

interface Snapshot {
  machines: Record<string, string>;
  pods: string;
  objects: string;
}

/** Processes with their starts, and files with their times. */
const MACHINE = `for name in kubelet containerd etcd kube-apiserver kube-controller kube-scheduler kube-proxy; do
  for pid in $(pgrep -x "$name"); do echo "$name $pid $(cut -d' ' -f22 /proc/$pid/stat)"; done
done | sort
find /etc /usr/local /opt/cni /var/lib/kubewright -xdev -type f -printf '%p %T@ %s %m\\n' | sort`;

/** Everything that an adoption must not change. */
async function readSnapshot(): Promise<Snapshot> {
  const machines = await Promise.all(NODES.map(async (node) => [node, await on(node, MACHINE)] as const));
  const pod = "{.metadata.uid} {.status.containerStatuses[*].containerID} {.status.containerStatuses[*].restartCount}";
  const kinds = "configmaps,daemonsets,deployments,serviceaccounts,clusterroles,clusterrolebindings";
  const [pods, objects] = await Promise.all([
    kubectl("get", "pods", "-A", "-o", `jsonpath={range .items[*]}${pod}{"\\n"}{end}`),
    kubectl(
      "get",
      kinds,
      "-A",
      "-o",
      'jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}',
    ),
  ]);
  return { machines: Object.fromEntries(machines), pods, objects };
}

const loadOf = (url: string, most: number): LoadSpec => ({
  container: outside.container,
  url,
  perSecond: PER_SECOND,
  most,
  seconds: LONGEST_SECONDS,
});

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", "workers.count=1", "--config", "extras=true");
  expect(code, text).toBe(0);
  const own = await kubectlOf(stack);
  await applyManifest(stack, manifest("web.yaml"));
  await own("rollout", "status", "deploy/web", "--timeout=180s");
  for (const node of NODES) [containers[node] = ""] = await stack.containers(node);
  const { stackId, kubectlPath } = await stack.outputs();
  outside = await OwnMachine.start({ hostname: "outside", network: networkName(String(stackId)), hostNumber: 5 });
  const url = `http://${await internalAddress(own, "worker-1")}:30080/hostname`;
  await waitForAnswers(loadOf(url, 20));
  client = new LoadClient(loadOf(url, PER_SECOND * LONGEST_SECONDS));
  // The stack's own file is lost together with the state.
  cpSync(await stack.kubeconfig(), join(folder, "config"));
  kubectl = async (...args) =>
    String((await run(String(kubectlPath), ["--kubeconfig", join(folder, "config"), ...args])).stdout);
});

afterAll(async () => {
  await client?.stop();
  await outside?.remove();
  await stack.down("--force");
  stack.removeFiles();
  rmSync(folder, { recursive: true, force: true });
});

async function expectUnchanged(): Promise<void> {
  expect(await readSnapshot()).toEqual(before);
  expect(client.load.failures).toEqual([]);
}

test("a stack that has its state is not adopted", async () => {
  const { code, text } = await stack.npmRun("adopt", "--yes");
  expect(code, text).toBe(1);
  expect(text).toMatch(/stack "e2e-adopt" has a state with \d+ resources/);
});

describe("when the state and the kubeconfig are lost", () => {
  let config: string;
  beforeAll(async () => {
    config = readFileSync(stack.configFile, "utf8");
    cpSync(stack.stateFolder, join(folder, "lost"), { recursive: true });
    rmSync(join(stack.stateFolder, ".pulumi"), { recursive: true });
    rmSync(kubeconfig());
    before = await readSnapshot();
  });

  test("--plan shows both machines, and nothing is written", async () => {
    const { code, text } = await stack.npmRun("adopt", "--plan");
    expect(code, text).toBe(0);
    expect(text).toMatch(/Adopt 2 machines and \d+ resources into stack e2e-adopt:/);
    for (const node of NODES)
      expect(text).toMatch(new RegExp(`^${node} +\\d+\\.\\d+\\.\\d+\\.\\d+ +ssh-ed25519 SHA256:\\S+$`, "m"));
    expect(text).toContain("The machines and the cluster match the configuration.");
    expect(existsSync(stateFile())).toBe(false);
    expect(readFileSync(stack.configFile, "utf8")).toBe(config);
    await expectUnchanged();
  });

  test("--plan names what differs on a machine", async () => {
    const file = "/etc/sysctl.d/99-kubewright.conf";
    await on("worker-1", `cp -p ${file} /root/kept && echo '# changed' >> ${file}`);
    const { code, text } = await stack.npmRun("adopt", "--plan");
    await on("worker-1", `cp -p /root/kept ${file} && rm /root/kept`);
    expect(code, text).toBe(0);
    expect(text).toContain("After the adoption, an update would change:");
    expect(text).toMatch(new RegExp(`^worker-1\\n[^]*${file}`, "m"));
    await expectUnchanged();
  });

  test("a machine of the configuration that does not exist refuses the adoption, by its name", async () => {
    stack.configure((values) => (values["kubewright:workers"] = { count: 2 }));
    const { code, text } = await stack.npmRun("adopt", "--yes");
    writeFileSync(stack.configFile, config);
    expect(code, text).toBe(1);
    expect(text).toMatch(/✗ Machine worker-2: adopting the machine failed on worker-2: Docker has no container/);
    expect(existsSync(stateFile())).toBe(false);
    await expectUnchanged();
  });

  test("the same machines listed by address show the host keys of first connections", async () => {
    const privateKeyPath = join(stack.stackFolder, "id_ed25519");
    const hosts = await Promise.all(
      NODES.map(async (name) => {
        const role = name === "worker-1" ? "worker" : "control-plane";
        return { name, role, host: await internalAddress(kubectl, name), user: "root", privateKeyPath };
      }),
    );
    stack.configure((values) => {
      values["kubewright:machines"] = { kind: "ssh", ssh: { hosts } };
      delete values["kubewright:workers"];
    });
    const { code, text } = await stack.npmRun("adopt", "--plan");
    writeFileSync(stack.configFile, config);
    expect(code, text).toBe(0);
    expect(text.match(/\(first connection\)/g)).toHaveLength(2);
    await expectUnchanged();
  });

  test("the cluster is adopted while it serves, and nothing on it changes", async () => {
    const { code, text } = await stack.npmRun("adopt", "--yes");
    expect(code, text).toBe(0);
    expect(text).toMatch(/Stack e2e-adopt has \d+ resources on 2 machines\. Nothing was changed on them/);
    expect(existsSync(kubeconfig())).toBe(true);
    await expectUnchanged();
  });

  test("the new state has the encryption key, as a secret", async () => {
    const [, key = ""] = /secret: "?([^\s"]+)/.exec(await on("control-plane-1", `cat ${ENCRYPTION_FILE}`)) ?? [];
    expect(key).not.toBe("");
    expect(readFileSync(stateFile(), "utf8")).not.toContain(key);
    expect((await stack.pulumiQuietly("stack", "export", "--show-secrets")).text).toContain(key);
  });
});

describe("after the adoption", () => {
  test.each([
    ["preview", /nothing to change/],
    ["drift", /no drift/],
    ["status", /./],
    ["start", /Nothing to change/],
  ])("%s finds nothing to do", async (command, expected) => {
    const { code, text } = await stack.npmRun(command);
    expect(code, text).toBe(0);
    expect(text).toMatch(expected);
    await expectUnchanged();
  });

  test("no request has failed", async () => {
    const { total, failed, failures } = await client.stop();
    console.log(`${total} requests, ${failed} failed`);
    expect(failures).toEqual([]);
    expect(total).toBeGreaterThan(100);
  });

  test("down deletes the machines", async () => {
    await outside.remove();
    const { code, text } = await stack.down();
    expect(code, text).toBe(0);
    expect(text).not.toContain("leftovers");
    for (const container of Object.values(containers))
      await expect(output("docker", ["container", "inspect", container])).rejects.toThrow();
  });
});

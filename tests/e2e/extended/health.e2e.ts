import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { networkName } from "../../../provider/docker/network";
import {
  applyManifest,
  internalAddress,
  kubectlOf,
  waitForNodes,
  waitForPods,
  type Kubectl,
} from "../../support/cluster-client";
import { LoadClient, waitForAnswers, type LoadSpec } from "../../support/load-client";
import { manifest } from "../../support/manifests";
import { OwnMachine } from "../../support/own-machine";
import { TestStack } from "../../support/test-stack";

const NODES = ["control-plane-1", "worker-1", "worker-2"] as const;
const PER_SECOND = 50;
const LONGEST_SECONDS = 3_600;

const stack = new TestStack("e2e-health");
let kubectl: Kubectl;
let outside: OwnMachine;
let client: LoadClient;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", "extras=true");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
  await applyManifest(stack, manifest("web.yaml"));
  await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
  const network = networkName(String((await stack.outputs()).stackId));
  outside = await OwnMachine.start({ hostname: "outside", network, hostNumber: 5 });
  const url = `http://${await internalAddress(kubectl, "worker-1")}:30080/hostname`;
  await waitForAnswers(loadOf(url, 20));
  client = new LoadClient(loadOf(url, PER_SECOND * LONGEST_SECONDS));
});

afterAll(async () => {
  await client?.stop();
  await outside?.remove();
  await stack.down("--force");
  stack.removeFiles();
});

interface BadValue {
  what: string;
  section: "workers" | "controlPlane";
  value: object;
  /** What the error names, in this order: machine and component, last errors, file, changed line. */
  error: readonly RegExp[];
  /** What the next preview shows as still to come. */
  preview: RegExp;
}

const KUBELET_FILE = /\/etc\/kubernetes\/kubelet\.conf\.d\/10-kubewright\.conf/;
const CRI_IMAGES = "io.containerd.cri.v1.images";

const BAD_VALUES: readonly BadValue[] = [
  {
    what: "an unknown feature gate of the kubelet",
    section: "workers",
    value: { kubelet: { featureGates: { NoSuchGate: true } } },
    error: [
      /starting kubelet\.service failed on worker-\d/,
      /unrecognized feature gate: NoSuchGate/,
      KUBELET_FILE,
      /\+ {3}NoSuchGate: true/,
    ],
    preview: /NoSuchGate/,
  },
  {
    what: "the static CPU policy without reservations",
    section: "workers",
    value: { kubelet: { cpuManagerPolicy: "static" } },
    error: [
      /starting kubelet\.service failed on worker-\d/,
      /reserved CPU/,
      KUBELET_FILE,
      /\+ cpuManagerPolicy: static/,
    ],
    preview: /cpuManagerPolicy/,
  },
  {
    what: "a reserved amount larger than the machine",
    section: "workers",
    value: { kubelet: { systemReserved: { memory: "9000Gi" } } },
    error: [
      /starting kubelet\.service failed on worker-\d/,
      /allocatable|reservation/i,
      KUBELET_FILE,
      /\+ {3}memory: 9000Gi/,
    ],
    preview: /9000Gi/,
  },
  {
    what: "a containerd setting of the wrong type",
    section: "workers",
    value: { containerd: { plugins: { [CRI_IMAGES]: { max_concurrent_downloads: "many" } } } },
    error: [
      /starting containerd\.service failed on worker-\d/,
      /max_?concurrent_?downloads|io\.containerd\.cri\.v1\.images/i,
      /\/etc\/containerd\/config\.toml/,
      /\+ max_concurrent_downloads = "many"/,
    ],
    preview: /max_concurrent_downloads/,
  },
  {
    what: "a flag that the API server does not have",
    section: "controlPlane",
    value: { extraArgs: { apiServer: { "no-such-flag": "1" } } },
    error: [
      /starting kube-apiserver failed on control-plane-1/,
      /unknown flag: --no-such-flag/,
      /\/etc\/kubernetes\/manifests\/kube-apiserver\.yaml/,
      /\+ {5}- --no-such-flag=1/,
    ],
    preview: /no-such-flag/,
  },
  {
    what: "a flag that etcd does not have",
    section: "controlPlane",
    value: { extraArgs: { etcd: { "no-such-flag": "1" } } },
    error: [
      /starting etcd failed on control-plane-1/,
      /flag provided but not defined: -no-such-flag/,
      /\/etc\/kubernetes\/manifests\/etcd\.yaml/,
      /\+ {5}- --no-such-flag=1/,
    ],
    preview: /no-such-flag/,
  },
];

describe.each(BAD_VALUES)("$what", ({ what, section, value, error, preview }) => {
  let before: Map<string, string>;
  let failedBefore: number;

  test("fails the command, which names machine, component, error, file and line, and is put back", async () => {
    [before, failedBefore] = [await startsOf(), client.load.failed];
    configure({ [section]: value });
    const started = Date.now();
    const { code, text } = await stack.up();
    report(`${what}: put back after ${Math.round((Date.now() - started) / 1000)} s`);
    expect(code, text).not.toBe(0);
    for (const part of error) expect(text).toMatch(part);
    expect(text).toMatch(/The previous files were restored, and \S+ is healthy again/);
    await waitForNodes(kubectl, ...NODES);
  });

  test("touches one node at most", async () => {
    const after = await startsOf();
    const touched = NODES.filter((name) => after.get(name) !== before.get(name));
    expect(touched.length).toBeLessThanOrEqual(1);
    if (section === "workers") expect(touched).not.toContain("control-plane-1");
    else expect(touched).not.toContainEqual(expect.stringContaining("worker"));
  });

  test("fails no request, and is still to come in the next preview", async () => {
    expect(client.load.failures.slice(failedBefore)).toEqual([]);
    const { text } = await stack.npmRunQuietly("preview");
    expect(text).toMatch(preview);
  });
});

test("good values of the same settings go through, and no request fails", async () => {
  configure({
    workers: {
      kubelet: { featureGates: { GracefulNodeShutdown: true }, systemReserved: { memory: "64Mi" } },
      containerd: { plugins: { [CRI_IMAGES]: { max_concurrent_downloads: 5 } } },
    },
    controlPlane: { extraArgs: { apiServer: { v: "3" }, etcd: { "heartbeat-interval": "150" } } },
  });
  const started = Date.now();
  const { code, text } = await stack.up();
  report(`good values: done after ${Math.round((Date.now() - started) / 1000)} s`);
  expect(code, text).toBe(0);
  expect(await stack.on("worker-2", "cat /etc/containerd/config.toml")).toContain("max_concurrent_downloads = 5");
  expect(await stack.on("control-plane-1", "cat /etc/kubernetes/manifests/*.yaml")).toContain("heartbeat-interval=150");
  await waitForNodes(kubectl, ...NODES);
  await waitForPods(kubectl); // the kubelet reports a restarted static pod with a delay
  const { total, failures } = await client.stop();
  expect(failures).toEqual([]);
  expect(total).toBeGreaterThan(5_000);
});

function configure(sections: { workers?: object; controlPlane?: object }): void {
  stack.configure((config) => {
    for (const name of ["workers", "controlPlane"] as const) {
      delete config[`kubewright:${name}`];
      if (sections[name]) config[`kubewright:${name}`] = sections[name];
    }
  });
}

/** Identifies, by node, the current starts of kubelet and containerd, and the static pods' containers. */
async function startsOf(): Promise<Map<string, string>> {
  const script = `systemctl show -p InvocationID --value kubelet containerd
ls /var/log/pods | grep -E '_(etcd|kube-(apiserver|controller-manager|scheduler))-' | sort; true`;
  return new Map(await Promise.all(NODES.map(async (name) => [name, await stack.on(name, script)] as const)));
}

function report(what: string): void {
  const { total, failed } = client.load;
  process.stdout.write(`    e2e-health │ ${what}; ${total} requests, ${failed} failed\n`);
}

function loadOf(url: string, most: number): LoadSpec {
  return { container: outside.container, url, perSecond: PER_SECOND, most, seconds: LONGEST_SECONDS };
}

import type { StepEventMetadata } from "@pulumi/pulumi/automation";
import { describe, expect, test } from "vitest";
import { planFrom } from "../../../../cli/preview/plan";
import { planText } from "../../../../cli/preview/plan-text";
import { UNKNOWN_STRING as UNKNOWN } from "../../../../provider/rpc/values";
import { SECRET_WORD } from "../../../../provider/rpc/values";
import { atRest, event, firstControlPlane, foreseen, on } from "./steps";

const told = (...events: readonly StepEventMetadata[]) => planText(planFrom(foreseen(...events)));
const hash = (letter: string) => letter.repeat(64);
const text = (content: string, mode = "0644") => ({ content, mode });

test("nothing to change", () => {
  expect(told(...firstControlPlane, ...atRest())).toBe(
    "nothing to change: all is as configured, as far as the state knows\n",
  );
});

describe("what disrupts is said first", () => {
  test("a machine that is made anew, and the property for which it is", () => {
    const image = { found: { image: "machine:a" }, wanted: { image: "machine:b" }, replacing: ["image"] };
    expect(
      told(
        event("delete-replaced", "docker:Machine", "worker-1", image),
        event("replace", "docker:Machine", "worker-1", image),
        event("create-replacement", "docker:Machine", "worker-1", image),
        event("create-replacement", "host:Host", "worker-1-host", {
          found: on("worker-1"),
          wanted: { connection: UNKNOWN },
          replacing: ["connection"],
        }),
        event("create-replacement", "host:Packages", "worker-1-packages", {
          found: on("worker-1"),
          wanted: { connection: UNKNOWN },
          replacing: ["instance"],
        }),
        event("create-replacement", "kube:Node", "worker-1-node", {
          found: { node: "worker-1" },
          wanted: { node: "worker-1" },
          replacing: ["instance"],
        }),
      ),
    ).toBe(`THIS DISRUPTS:
  worker-1 is drained and its machine is made anew, because image changes from machine:a to machine:b

worker-1 is drained, made anew, set up, and joins, because image changes from machine:a to machine:b

1 machine: 1 made anew; 1 node is drained (4 resources in all)
`);
  });

  test("a machine that goes", () => {
    expect(told(...atRest("delete"))).toContain(
      "THIS DISRUPTS:\n  worker-1 is drained and its machine is removed, because it is not configured any more\n",
    );
    const [, ...own] = atRest("delete");
    expect(told(...own)).toContain(
      "  worker-1 is drained and leaves; its machine stays, without what we put on it, because it is not configured any more\n",
    );
  });

  test("the API server, for a new version of Kubernetes; and one that goes back", () => {
    const init = (from: string, to: string) => {
      const values = (version: string) => ({
        ...on("control-plane-1"),
        documents: [{ kind: "InitConfiguration" }, { kind: "ClusterConfiguration", kubernetesVersion: version }],
      });
      return event("update", "kubeadm:Init", "control-plane-1-init", {
        found: values(from),
        wanted: values(to),
        paths: ["documents[1].kubernetesVersion"],
      });
    };
    expect(told(...firstControlPlane, init("v1.35.4", "v1.36.3"))).toBe(`THIS DISRUPTS:
  the API server of control-plane-1 restarts (the API is away for some seconds), because ClusterConfiguration.kubernetesVersion changes from v1.35.4 to v1.36.3

control-plane-1
  ClusterConfiguration.kubernetesVersion changes from v1.35.4 to v1.36.3

1 machine: 1 changed (1 resource in all)
`);
    expect(told(...firstControlPlane, init("v1.36.3", "v1.35.4"))).toContain("versions only go up");
  });

  test("a component of its own: etcd as a pod, the API server as a unit", () => {
    const pod = (command: string) => ({
      ...on("control-plane-1"),
      manifest: { metadata: { name: "etcd" }, spec: { command } },
      files: {},
    });
    const unit = (content: string) => ({
      ...on("control-plane-1"),
      unit: "kube-apiserver.service",
      files: { "/u": text(content) },
      enabled: true,
      running: true,
    });
    const said = told(
      ...firstControlPlane,
      event("update", "host:StaticPod", "control-plane-1-etcd", {
        found: pod("a"),
        wanted: pod("b"),
        paths: ["manifest.spec.command"],
      }),
      event("update", "host:Unit", "control-plane-1-kube-apiserver", {
        found: unit("a\n"),
        wanted: unit("b\n"),
        paths: ['files["/u"].content'],
      }),
    );
    expect(said).toContain(
      "  etcd of control-plane-1 restarts (the API is away for some seconds), because manifest.spec.command changes from a to b\n",
    );
    expect(said).toContain("  the API server of control-plane-1 restarts (the API is away for some seconds)");
    expect(said).toContain("  the pod etcd restarts, because its manifest changes\n");
    expect(said).toContain("2 restarts");
  });

  test("the cluster itself, beside which nothing else counts", () => {
    const said = told(
      event("create-replacement", "docker:Machine", "control-plane-1", { found: {}, wanted: {}, keys: ["id"] }),
      event("create-replacement", "host:Host", "control-plane-1-host", {
        found: on("control-plane-1"),
        wanted: on("control-plane-1"),
      }),
      event("create-replacement", "kubeadm:Init", "control-plane-1-init", {
        found: on("control-plane-1"),
        wanted: on("control-plane-1"),
        keys: ["instance"],
      }),
      ...atRest(),
      event("create-replacement", "kubeadm:Join", "worker-1-join", {
        found: on("worker-1"),
        wanted: on("worker-1"),
        keys: ["caCertHash"],
      }),
    );
    expect(said).toContain(
      "THIS DISRUPTS:\n  the cluster is made anew, and all that is in it is LOST: it began on control-plane-1, because it is marked for that\n\n",
    );
  });
});

test("what changes on a machine: lines of text, programs by version and hash, restarts and why, images", () => {
  const unit = (content: string, kubelet: string) => ({
    ...on("worker-1"),
    unit: "kubelet.service",
    files: { "/k.conf": text(content) },
    enabled: true,
    running: true,
    restartOn: { kubelet },
  });
  const programs = (sha256: string, version: string) => ({
    ...on("worker-1"),
    files: { "/usr/local/bin/kubelet": sha256 },
    sources: { [sha256]: `/cache/kubelet-${version}-amd64-modules-0/kubelet` },
  });
  const images = (tag: string) => ({
    ...on("worker-1"),
    archives: { worker: { refs: [`reg/kube-proxy:${tag}`] } },
    pull: [],
  });
  expect(
    told(
      ...atRest(),
      event("update", "host:Binaries", "worker-1-binaries", {
        found: programs(hash("a"), "1.35.4"),
        wanted: programs(hash("b"), "1.36.3"),
        paths: ['files["/usr/local/bin/kubelet"]'],
      }),
      event("update", "host:Unit", "worker-1-kubelet", {
        found: unit("1\n2\n3\n4\n5\n", hash("a")),
        wanted: unit("one\n2\n3\n4\n5\n6\n", hash("b")),
        paths: ['files["/k.conf"].content', "restartOn.kubelet"],
      }),
      event("update", "host:Images", "worker-1-images", {
        found: images("v1.35.4"),
        wanted: images("v1.36.3"),
        paths: ["archives.worker.refs[0]"],
      }),
    ),
  ).toBe(`worker-1
  /usr/local/bin/kubelet moves from 1.35.4 to 1.36.3 (SHA-256 aaaaaaaaaaaa... -> bbbbbbbbbbbb...)
  /k.conf changes:
    line 1:
    - 1
    + one
    line 6:
    + 6
  kubelet.service restarts, because its files change and kubelet is another
  the image reg/kube-proxy moves from v1.35.4 to v1.36.3

1 machine: 1 changed; 2 files change, 1 restart (3 resources in all)
`);
});

test("a secret is a secret, though both look the same; what is not known yet is said to be so", () => {
  const values = (files: unknown) => ({ ...on("worker-1"), files });
  const secret = values({ "/key": text(SECRET_WORD, "0600") });
  expect(
    told(
      ...atRest(),
      event("update", "host:Files", "worker-1-keys", {
        found: secret,
        wanted: secret,
        paths: ['files["/key"].content'],
      }),
    ),
  ).toContain("  /key changes (its content is a secret)\n");
  expect(
    told(
      ...atRest(),
      event("update", "host:Files", "worker-1-keys", {
        found: values(SECRET_WORD),
        wanted: values(SECRET_WORD),
        paths: ["files"],
      }),
    ),
  ).toContain("  Files worker-1-keys: files changes (a secret)\n");
  expect(
    told(
      ...atRest(),
      event("update", "host:Files", "worker-1-keys", { found: secret, wanted: values(UNKNOWN), paths: ["files"] }),
    ),
  ).toContain("  Files worker-1-keys: files changes; how, shows when the run comes to it\n");
});

test("labels, taints and cordons of a node", () => {
  const found = { node: "worker-1", labels: { old: "1" }, annotations: {}, taints: [], schedulable: false };
  const wanted = {
    node: "worker-1",
    labels: { zone: "a" },
    annotations: {},
    taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }],
    schedulable: true,
  };
  const said = told(
    ...atRest(),
    event("update", "kube:Node", "worker-1-node", {
      found,
      wanted,
      paths: ["labels.old", "labels.zone", "taints[0]", "schedulable"],
    }),
  );
  for (const words of [
    "worker-1 is uncordoned",
    "worker-1 gets the label zone=a",
    "worker-1 loses the label old",
    "worker-1 gets the taint gpu=yes:NoSchedule",
  ])
    expect(said).toContain(`  ${words}\n`);
});

test("a new machine is one line, and disrupts nobody", () => {
  expect(told(...atRest("create"))).toBe(
    "worker-1 is made, set up, and joins\n\n1 machine: 1 made (4 resources in all)\n",
  );
});

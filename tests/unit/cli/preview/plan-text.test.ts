import type { StepEventMetadata } from "@pulumi/pulumi/automation";
import { describe, expect, test } from "vitest";
import { planFrom } from "../../../../cli/preview/plan";
import { planText } from "../../../../cli/preview/plan-text";
import { UNKNOWN_STRING as UNKNOWN } from "../../../../provider/rpc/values";
import { SECRET_WORD } from "../../../../provider/rpc/values";
import { atRest, event, firstControlPlane, previewOf, on } from "./steps";

const plan = (...events: readonly StepEventMetadata[]) => planText(planFrom(previewOf(...events)));
const hash = (letter: string) => letter.repeat(64);
const text = (content: string, mode = "0644") => ({ content, mode });

test("nothing to change", () => {
  expect(plan(...firstControlPlane, ...atRest())).toBe("nothing to change: the state matches the configuration\n");
});

describe("disruptions come first", () => {
  test("a recreated machine, with the property that requires it", () => {
    const image = { current: { image: "machine:a" }, desired: { image: "machine:b" }, replacing: ["image"] };
    expect(
      plan(
        event("delete-replaced", "docker:Machine", "worker-1", image),
        event("replace", "docker:Machine", "worker-1", image),
        event("create-replacement", "docker:Machine", "worker-1", image),
        event("create-replacement", "host:Host", "worker-1-host", {
          current: on("worker-1"),
          desired: { connection: UNKNOWN },
          replacing: ["connection"],
        }),
        event("create-replacement", "host:Packages", "worker-1-packages", {
          current: on("worker-1"),
          desired: { connection: UNKNOWN },
          replacing: ["instance"],
        }),
        event("create-replacement", "kube:Node", "worker-1-node", {
          current: { node: "worker-1" },
          desired: { node: "worker-1" },
          replacing: ["instance"],
        }),
      ),
    ).toBe(`DISRUPTIONS:
  worker-1 is drained, and its machine is recreated, because image changes from machine:a to machine:b

worker-1 is drained, recreated, set up and joined, because image changes from machine:a to machine:b

1 machine: 1 recreated; 1 node is drained (4 resources)
`);
  });

  test("a machine that is removed", () => {
    expect(plan(...atRest("delete"))).toContain(
      "DISRUPTIONS:\n  worker-1 is drained, and its machine is deleted, because it is no longer configured\n",
    );
    const [, ...own] = atRest("delete");
    expect(plan(...own)).toContain(
      "  worker-1 is drained and leaves; its machine stays, without Kubernetes, because it is no longer configured\n",
    );
  });

  test("a restart of the API server for a new version of Kubernetes, and for a downgrade", () => {
    const init = (from: string, to: string) => {
      const values = (version: string) => ({
        ...on("control-plane-1"),
        documents: [{ kind: "InitConfiguration" }, { kind: "ClusterConfiguration", kubernetesVersion: version }],
      });
      return event("update", "kubeadm:ControlPlane", "control-plane-1-control-plane", {
        current: values(from),
        desired: values(to),
        paths: ["documents[1].kubernetesVersion"],
      });
    };
    const change = "ClusterConfiguration.kubernetesVersion changes from v1.35.4 to v1.36.3";
    expect(plan(...firstControlPlane, init("v1.35.4", "v1.36.3"))).toBe(`DISRUPTIONS:
  the API server of control-plane-1 restarts (the API is unavailable for some seconds), because ${change}

control-plane-1
  ${change}

1 machine: 1 changed (1 resource)
`);
    expect(plan(...firstControlPlane, init("v1.36.3", "v1.35.4"))).toContain(
      "(Kubernetes does not support downgrades)",
    );
  });

  test("restarts of etcd as a static pod and of the API server as a unit", () => {
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
    const output = plan(
      ...firstControlPlane,
      event("update", "host:StaticPod", "control-plane-1-etcd", {
        current: pod("a"),
        desired: pod("b"),
        paths: ["manifest.spec.command"],
      }),
      event("update", "host:Unit", "control-plane-1-kube-apiserver", {
        current: unit("a\n"),
        desired: unit("b\n"),
        paths: ['files["/u"].content'],
      }),
    );
    expect(output).toContain(
      "  etcd of control-plane-1 restarts (the API is unavailable for some seconds), " +
        "because manifest.spec.command changes from a to b\n",
    );
    expect(output).toContain("  the API server of control-plane-1 restarts (the API is unavailable for some seconds)");
    expect(output).toContain("  static pod etcd restarts, because its manifest changes\n");
    expect(output).toContain("2 restarts");
  });

  test("the loss of the cluster alone", () => {
    const output = plan(
      event("create-replacement", "docker:Machine", "control-plane-1", { current: {}, desired: {}, keys: ["id"] }),
      event("create-replacement", "host:Host", "control-plane-1-host", {
        current: on("control-plane-1"),
        desired: on("control-plane-1"),
      }),
      event("create-replacement", "kubeadm:Init", "control-plane-1-init", {
        current: on("control-plane-1"),
        desired: on("control-plane-1"),
        keys: ["instance"],
      }),
      ...atRest(),
      event("create-replacement", "kubeadm:Join", "worker-1-join", {
        current: on("worker-1"),
        desired: on("worker-1"),
        keys: ["caCertHash"],
      }),
    );
    expect(output).toContain(
      "DISRUPTIONS:\n  the cluster is recreated, and everything in it is LOST: " +
        "control-plane-1 holds its state, because it is marked for replacement\n\n",
    );
  });
});

test("changes on a machine: lines of text, programs by version and hash, restarts with their reasons, images", () => {
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
    plan(
      ...atRest(),
      event("update", "host:Binaries", "worker-1-binaries", {
        current: programs(hash("a"), "1.35.4"),
        desired: programs(hash("b"), "1.36.3"),
        paths: ['files["/usr/local/bin/kubelet"]'],
      }),
      event("update", "host:Unit", "worker-1-kubelet", {
        current: unit("1\n2\n3\n4\n5\n", hash("a")),
        desired: unit("one\n2\n3\n4\n5\n6\n", hash("b")),
        paths: ['files["/k.conf"].content', "restartOn.kubelet"],
      }),
      event("update", "host:Images", "worker-1-images", {
        current: images("v1.35.4"),
        desired: images("v1.36.3"),
        paths: ["archives.worker.refs[0]"],
      }),
    ),
  ).toBe(`worker-1
  /usr/local/bin/kubelet changes from 1.35.4 to 1.36.3 (SHA-256 aaaaaaaaaaaa... -> bbbbbbbbbbbb...)
  /k.conf changes:
    line 1:
    - 1
    + one
    line 6:
    + 6
  kubelet.service restarts, because its files change and kubelet changes
  image reg/kube-proxy changes from v1.35.4 to v1.36.3

1 machine: 1 changed; 2 files change, 1 restart (3 resources)
`);
});

test("secrets are not shown, and unknown values are reported as such", () => {
  const values = (files: unknown) => ({ ...on("worker-1"), files });
  const secret = values({ "/key": text(SECRET_WORD, "0600") });
  expect(
    plan(
      ...atRest(),
      event("update", "host:Files", "worker-1-keys", {
        current: secret,
        desired: secret,
        paths: ['files["/key"].content'],
      }),
    ),
  ).toContain("  /key changes (its content is a secret)\n");
  expect(
    plan(
      ...atRest(),
      event("update", "host:Files", "worker-1-keys", {
        current: values(SECRET_WORD),
        desired: values(SECRET_WORD),
        paths: ["files"],
      }),
    ),
  ).toContain("  Files worker-1-keys: files changes (a secret)\n");
  expect(
    plan(
      ...atRest(),
      event("update", "host:Files", "worker-1-keys", { current: secret, desired: values(UNKNOWN), paths: ["files"] }),
    ),
  ).toContain("  Files worker-1-keys: files changes; the new value is not known yet\n");
});

test("labels, taints and cordon of a node", () => {
  const current = { node: "worker-1", labels: { old: "1" }, annotations: {}, taints: [], schedulable: false };
  const desired = {
    node: "worker-1",
    labels: { zone: "a" },
    annotations: {},
    taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }],
    schedulable: true,
  };
  const output = plan(
    ...atRest(),
    event("update", "kube:Node", "worker-1-node", {
      current,
      desired,
      paths: ["labels.old", "labels.zone", "taints[0]", "schedulable"],
    }),
  );
  for (const message of [
    "worker-1 is uncordoned",
    "worker-1 is labeled zone=a",
    "label old of worker-1 is removed",
    "worker-1 is tainted gpu=yes:NoSchedule",
  ])
    expect(output).toContain(`  ${message}\n`);
});

test("a new machine is one line, and no disruption", () => {
  expect(plan(...atRest("create"))).toBe(
    "worker-1 is created, set up and joined\n\n1 machine: 1 created (4 resources)\n",
  );
});

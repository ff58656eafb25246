import "reflect-metadata";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { KubeApi } from "../../../../provider/kube/api";
import {
  KUBELET_CONF,
  changeKubeletEndpoint,
  readKubeletEndpoint,
} from "../../../../provider/kubeadm/kubelet-endpoint";
import type { Remote } from "../../../../provider/ssh/remote";
import { connectionTo } from "../../../support/connection";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryMachine } from "../../../support/memory-machine";

const probes = vi.hoisted(() => ({ answers: [] as (string | Error | undefined)[], count: 0 }));
vi.mock("../../../../provider/ssh/tls-probe", () => ({
  probeCertificate: async () => {
    const answer = probes.answers.length > 1 ? probes.answers.shift() : probes.answers[0];
    probes.count++;
    if (answer instanceof Error) throw answer;
    return answer;
  },
}));
vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const OLD = "10.0.0.9:6443";
const NEW = "api.dev.internal:7443";
const kubeconfig = (server: string) => `clusters:\n- cluster:\n    server: https://${server}\n  name: kubernetes\n`;

/** A node whose kubelet renews its lease while it can reach its API server. */
class Node extends MemoryMachine {
  restarts = 0;
  lease = 0;
  reachable = [OLD, NEW];
  readonly patience = 1;

  constructor(server: string) {
    super();
    this.files.set(KUBELET_CONF, { content: kubeconfig(server), mode: "0600" });
    this.on(/systemctl restart kubelet/, () => String(++this.restarts));
    this.on(/systemctl show/, () => `ActiveState=active\nSubState=running\nInvocationID=i${this.restarts}\n`);
    this.on(/healthzPort/, () => "0\n");
  }

  get server(): string | undefined {
    return this.reachable.find((each) => this.files.get(KUBELET_CONF)?.content.includes(each));
  }

  get api(): KubeApi {
    const read = async () => {
      if (this.server !== undefined) this.lease++;
      return { spec: { renewTime: `t${this.lease}` } };
    };
    return { objects: { read }, caCertificate: "ca", patience: 1 } as unknown as KubeApi;
  }
}

let node: Node;
beforeEach(() => {
  probes.answers = [undefined];
  probes.count = 0;
  node = new Node(OLD);
});

function change(): Promise<void> {
  const context = node.context();
  context.kube.api = async () => node.api;
  const controlPlanes = [connectionTo({ host: "10.0.0.9" })];
  return settle(
    changeKubeletEndpoint(context, node as unknown as Remote, { node: "worker-1", endpoint: NEW, controlPlanes }),
  );
}
const current = () => readKubeletEndpoint(node as unknown as Remote, new AbortController().signal);

describe("the kubelet's API server", () => {
  test("changes with one restart, and the file stays readable by root only", async () => {
    await change();
    expect(await current()).toBe(NEW);
    expect(node.restarts).toBe(1);
    expect(node.files.get(KUBELET_CONF)).toEqual({ content: kubeconfig(NEW), mode: "0600" });
  });

  test("stays, without a restart, where it is the right one", async () => {
    node = new Node(NEW);
    await change();
    expect(node.restarts).toBe(0);
    expect(probes.count).toBe(0);
  });

  test("changes only when all certificates have the new name", async () => {
    probes.answers = ["cp-1: ERR_TLS_CERT_ALTNAME_INVALID", undefined];
    await change();
    expect(await current()).toBe(NEW);
    expect(probes.count).toBeGreaterThan(2);
  });

  test("does not change while a certificate lacks the name", async () => {
    probes.answers = ["cp-1: ERR_TLS_CERT_ALTNAME_INVALID"];
    await expect(change()).rejects.toThrow(/changing the kubelet's API server failed .*ERR_TLS_CERT_ALTNAME_INVALID/);
    expect(await current()).toBe(OLD);
    expect(node.restarts).toBe(0);
  });

  test("does not change while the node's own balancer does not answer", async () => {
    probes.answers = [new Error("connection refused")];
    await expect(change()).rejects.toThrow("connection refused");
    expect(node.restarts).toBe(0);
  });

  test("is restored when the kubelet does not reach the new one", async () => {
    node.reachable = [OLD];
    await expect(change()).rejects.toThrow(
      /did not renew its lease through api.dev.internal:7443 within 60 s; the kubelet uses 10.0.0.9:6443 again/,
    );
    expect(await current()).toBe(OLD);
    expect(node.restarts).toBe(2);
  });
});

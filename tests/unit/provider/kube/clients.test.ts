import "reflect-metadata";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parse, stringify } from "yaml";
import { serverOf } from "../../../../render/kubeconfig-server";
import { orAborted } from "../../../../common/wait";
import { ConnectionError } from "../../../../provider/ssh/errors";
import type { Connection } from "../../../../contracts/connection";
import { KubeClients } from "../../../../provider/kube/clients";
import { ControlPlane } from "../../../support/api-endpoint";
import { connectionTo } from "../../../support/connection";

const signal = new AbortController().signal;
let machines: ControlPlane[];
let dead: Set<string>;

beforeEach(async () => {
  machines = [await ControlPlane.start("cp-1"), await ControlPlane.start("cp-2")];
  dead = new Set();
});
afterEach(() => machines.forEach((machine) => machine.stop()));

/** A busy test host is not taken for a slow control plane. */
const PATIENT = 100;
const connection = (host: string) => connectionTo({ host });
const both = [connection("cp-1"), connection("cp-2")];

function clients(patience = PATIENT): KubeClients {
  const get = ({ host }: Connection) => {
    const machine = machines.find(({ name }) => name === host);
    if (!machine || dead.has(host)) throw new ConnectionError(connection(host), "connect EHOSTUNREACH", "transient");
    return machine.remote;
  };
  return new KubeClients({ get }, { patience });
}

/** Clients whose first control plane prints its kubeconfig when the test lets it, or fails when the reader gives up. */
function withSlowKubeconfig(patience = PATIENT): { kube: KubeClients; finishRead: (() => void)[] } {
  const finishRead: (() => void)[] = [];
  const machine = machines[0]!;
  const read = machine.read.bind(machine);
  machine.read = async (script, options) => {
    await orAborted(new Promise<void>((resolve) => finishRead.push(resolve)), options.signal);
    return await read(script, options);
  };
  return { kube: clients(patience), finishRead };
}

async function answering(kube: KubeClients, controlPlanes = both): Promise<string | undefined> {
  const api = await kube.api(controlPlanes, signal);
  const { items } = await api.core.listNamespace();
  return items[0]?.metadata?.name;
}

describe("the API", () => {
  test("is that of the first control plane, over its SSH connection", async () => {
    expect(await answering(clients())).toBe("cp-1");
    expect(new Set(machines[0]?.forwarded)).toEqual(new Set(["127.0.0.1:6443"]));
    expect(machines[1]?.forwarded).toEqual([]);
  });

  test("is that of the next one when SSH to the first fails", async () => {
    dead.add("cp-1");
    expect(await answering(clients())).toBe("cp-2");
  });

  test("is that of the next one when the first's API server is not ready, though SSH works", async () => {
    machines[0]!.readyz = 500;
    expect(await answering(clients())).toBe("cp-2");
  });

  test("is that of the next one when the first's API server does not run", async () => {
    machines[0]!.forward = () => Promise.reject(new Error("connection refused"));
    expect(await answering(clients())).toBe("cp-2");
  });

  test("is that of the next one when the first is slow to answer, as a stopped machine is", async () => {
    const { kube } = withSlowKubeconfig(0.001);
    expect(await answering(kube)).toBe("cp-2");
  });

  test("is the first one's again once it is ready", async () => {
    const kube = clients();
    machines[0]!.readyz = 500;
    expect(await answering(kube)).toBe("cp-2");
    machines[0]!.readyz = 200;
    expect(await answering(kube)).toBe("cp-1");
  });

  test("is the first one's when none is ready: its API server may be restarting", async () => {
    for (const machine of machines) machine.readyz = 503;
    expect(await answering(clients())).toBe("cp-1");
  });

  test("of a single control plane is not probed", async () => {
    expect(await answering(clients(), [connection("cp-1")])).toBe("cp-1");
    expect(machines[0]?.paths).not.toContain("/readyz");
  });

  test("is not probed for every request", async () => {
    const kube = clients();
    for (let count = 0; count < 5; count++) await answering(kube);
    expect(machines[0]?.paths.filter((path) => path === "/readyz")).toHaveLength(1);
  });

  test("cannot be reached when no machine answers, and the error says why", async () => {
    dead.add("cp-1").add("cp-2");
    await expect(answering(clients())).rejects.toThrow(/connecting to the Kubernetes API failed: .*EHOSTUNREACH.*cp-2/);
    await expect(answering(clients(), [])).rejects.toThrow("the cluster has no control plane");
  });

  test("is opened for all callers, whatever the deadline of the first one", async () => {
    const { kube, finishRead } = withSlowKubeconfig();
    const first = new AbortController();
    const aborted = kube.api(both, first.signal);
    const other = kube.api(both, signal);
    await vi.waitFor(() => expect(finishRead).toHaveLength(1));
    first.abort(new Error("the first caller's deadline"));
    await expect(aborted).rejects.toThrow("the first caller's deadline");
    finishRead[0]?.();
    expect((await (await other).core.listNamespace()).items[0]?.metadata?.name).toBe("cp-1");
    expect(finishRead).toHaveLength(1);
  });

  test("is opened again after its only caller has given up", async () => {
    const { kube, finishRead } = withSlowKubeconfig();
    const first = new AbortController();
    const aborted = kube.api(both, first.signal);
    await vi.waitFor(() => expect(finishRead).toHaveLength(1));
    first.abort(new Error("deadline"));
    await expect(aborted).rejects.toThrow("deadline");
    const next = kube.api(both, signal);
    await vi.waitFor(() => expect(finishRead).toHaveLength(2));
    finishRead[1]?.();
    await next;
  });

  test("opens no port that other local users could connect to", async () => {
    const { Server } = await import("node:net");
    const listen = vi.spyOn(Server.prototype, "listen");
    await answering(clients());
    expect(listen).not.toHaveBeenCalled();
    listen.mockRestore();
  });

  test("is opened again after its certificates have changed", async () => {
    const kube = clients();
    await answering(kube);
    const reads = () => machines[0]?.scripts.filter((script) => script.startsWith("cat")).length;
    await answering(kube);
    expect(reads()).toBe(1);
    kube.forget();
    await answering(kube);
    expect(reads()).toBe(2);
  });
});

test("the administrator's kubeconfig is read from the first control plane that answers", async () => {
  dead.add("cp-1");
  expect(await clients().adminKubeconfig(both, signal)).toContain("client-key-data");
});

describe("the administrator's kubeconfig with addresses for clients", () => {
  const endpoints = ["10.0.0.1:6443", "10.0.0.2:6443"];
  const serverIn = async () => serverOf(stringify(parse(await clients().adminKubeconfig(both, signal, endpoints))));

  beforeEach(() => {
    for (const machine of machines) {
      const read = machine.read.bind(machine);
      machine.read = async (script, options) => {
        const { stdout, ...rest } = await read(script, options);
        return { ...rest, stdout: stdout === "" ? "" : stringify(parse(stdout)) };
      };
    }
  });

  test("names the first control plane if its API server is ready", async () => {
    expect(await serverIn()).toBe("10.0.0.1:6443");
  });

  test("names the next one if it is not", async () => {
    machines[0]!.readyz = 500;
    expect(await serverIn()).toBe("10.0.0.2:6443");
  });
});

test("a kubeconfig without a cluster is an error that names the machine", async () => {
  const machine = machines[0]!;
  machine.read = async () => ({ code: 0, stdout: "{}", stderr: "" });
  await expect(answering(clients(), [connection("cp-1")])).rejects.toThrow(/cp-1: it names no cluster/);
});

test("an adoption refuses requests that change something", async () => {
  const [machine] = machines;
  const kube = new KubeClients({ get: () => machine!.remote }, { patience: PATIENT, adopting: true });
  expect(await answering(kube)).toBe("cp-1");
  const api = await kube.api(both, signal);
  const body = { metadata: { name: "demo" } };
  await expect(api.core.createNamespace({ body })).rejects.toThrow(
    /^POST .*: an adoption changes nothing in the cluster/,
  );
  await expect(api.core.deleteNamespace({ name: "demo" })).rejects.toThrow(/^DELETE /);
});

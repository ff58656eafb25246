import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { machineResource } from "../../../../../provider/resources/docker/machine";
import { PartialFailure } from "../../../../../provider/rpc/handler";
import { testContext } from "../../../../support/context";
import { FakeDocker } from "../../docker/fake-docker";
import { INFO, NOT_FOUND, container, network } from "../../docker/inspected";

const inputs = {
  stack: "dev",
  hostname: "worker-1",
  image: "image",
  network: "kubewright-dev",
  index: 0,
  authorizedKey: "ssh-ed25519 AAAA",
};
const outputs = {
  containerId: "abc",
  address: "172.20.0.10",
  port: 22,
  user: "root",
  hostKey: "ssh-ed25519 OLD",
  privateAddress: "172.20.0.10",
  apiEndpoint: "172.20.0.10:6443",
};
const STOPPED = { State: { Running: false, Status: "exited", ExitCode: 3 } };

let docker: FakeDocker;
let server: Server;
let warnings: string[];
beforeEach(async () => {
  docker = new FakeDocker();
  warnings = [];
  server = createServer((socket) => socket.end("SSH-2.0-test\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  docker.remove();
  server.close();
});

const context = () => testContext({ warn: (message) => void warnings.push(message) });
/** A running container whose SSH port is published. */
const answering = (changes: object = {}) => {
  const HostPort = String((server.address() as AddressInfo).port);
  const Networks = { kubewright: { IPAddress: "", IPAMConfig: { IPv4Address: "172.20.0.10" } } };
  return container({ NetworkSettings: { Ports: { "22/tcp": [{ HostIp: "", HostPort }] }, Networks }, ...changes });
};
const hasDaemon = () => docker.on("info", { stdout: JSON.stringify(INFO) });
const starts = () =>
  docker
    .on("start", {})
    .on("exec abc cat /etc/ssh", { stdout: "ssh-ed25519 AAAA root@worker-1" })
    .on("exec abc cat /proc", { stdout: "8192" })
    .on("ps", { stdout: "abc" });
const creates = () =>
  hasDaemon()
    .on("network inspect", network())
    .on("version", { stdout: "1.44" })
    .on("run", { stdout: "nameserver 10.0.0.1" })
    .on("create", { stdout: "abc" })
    .on("cp", {});
const read = (changes: object = {}) =>
  machineResource.read!(context(), "abc", { inputs: { ...inputs, ...changes }, outputs });
const started = (command: string) => docker.calls.filter((call) => call.startsWith(command));

describe("a new machine", () => {
  test("is created at the address of its position, and started until SSH answers", async () => {
    creates();
    starts().on("container inspect", NOT_FOUND, answering());
    const { id, outputs: created } = await machineResource.create(context(), inputs);
    expect(id).toBe("abc");
    expect(created).toEqual({
      ...outputs,
      address: "127.0.0.1",
      port: (server.address() as AddressInfo).port,
      hostKey: "ssh-ed25519 AAAA",
    });
    expect(started("create ")[0]).toContain("172.20.0.10");
  });

  test("gets the fixed address of its configuration", async () => {
    creates();
    starts().on("container inspect", NOT_FOUND, answering());
    await machineResource.create(context(), { ...inputs, index: undefined, fixedAddress: "172.20.0.77" });
    expect(started("create ")[0]).toContain("172.20.0.77");
  });

  test("that does not start is recorded, so that `destroy` removes its container", async () => {
    creates().on("start", {}).on("logs", { stdout: "no init" }).on("exec", {});
    docker.on("container inspect", NOT_FOUND, container(STOPPED));
    const failure = await machineResource.create(context(), inputs).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PartialFailure);
    expect(failure).toMatchObject({ id: "abc", outputs: { ...outputs, hostKey: "" } });
    expect((failure as Error).message).toMatch(/exited with code 3; no init; see `docker logs abc`/);
  });

  test("is warned about when the host has too few inotify instances", async () => {
    creates();
    docker.on("exec abc cat /proc", { stdout: "10" });
    starts().on("container inspect", NOT_FOUND, answering());
    await machineResource.create(context(), inputs);
    expect(warnings).toEqual([expect.stringMatching(/10 inotify instances, too few/)]);
  });

  test("needs a Docker that answers", async () => {
    docker.on("info", { code: 1, stderr: "connection refused" });
    const settings = { dockerEnvironment: { host: "tcp://10.0.0.5:2376", proxies: {} } };
    await expect(machineResource.create(testContext({}, settings), inputs)).rejects.toThrow(
      "connection refused; start the daemon at DOCKER_HOST (tcp://10.0.0.5:2376), or unset it",
    );
    expect(started("create ")).toEqual([]);
  });
});

describe("an update", () => {
  const update = (changes: object = {}) =>
    machineResource.update!(context(), "abc", { ...inputs, ...changes }, { inputs, outputs });

  test("starts a stopped machine, and replaces the keys that may log in", async () => {
    hasDaemon().on("cp", {});
    starts().on("container inspect", container({ ...STOPPED, HostConfig: { NanoCpus: 0, Memory: 0 } }), answering());
    expect(await update()).toMatchObject({ address: "127.0.0.1", hostKey: "ssh-ed25519 AAAA" });
    expect(docker.calls).toEqual(expect.arrayContaining(["cp - abc:/", "start abc"]));
    expect(started("update")).toEqual([]);
  });

  test("resizes a machine in place", async () => {
    hasDaemon().on("cp", {}).on("update", {});
    starts().on("container inspect", answering());
    await update({ cpus: 2, memory: 1024 });
    expect(started("update")).toEqual(["update --cpus 2 --memory 1024m --memory-swap 1024m abc"]);
  });

  test("fails when the container was removed, with the command that recreates it", async () => {
    hasDaemon().on("container inspect", NOT_FOUND);
    await expect(update()).rejects.toThrow(
      "update the machine failed on worker-1: its container no longer exists; run `pulumi up --refresh` to recreate it",
    );
  });
});

describe("a refresh", () => {
  test("reads a machine that is stopped as drift, with its last known connection", async () => {
    hasDaemon().on("container inspect", container(STOPPED));
    expect(await read()).toEqual({ inputs: { ...inputs, running: false }, outputs });
  });

  test("reads a new port, and another size only where the program sets one", async () => {
    hasDaemon();
    starts().on("container inspect", answering());
    expect((await read())?.inputs).toEqual({ ...inputs, running: true });
    const resized = await read({ cpus: 4, memory: 512 });
    expect(resized?.inputs).toMatchObject({ cpus: 1.5, memory: 2048 });
    expect(resized?.outputs).toMatchObject({ address: "127.0.0.1", hostKey: "ssh-ed25519 AAAA" });
  });

  test("keeps the known connection while the machine has no host key yet", async () => {
    hasDaemon().on("exec", { code: 1, stderr: "No such file" }).on("container inspect", answering());
    expect((await read())?.outputs).toEqual(outputs);
    expect(warnings).toEqual([expect.stringMatching(/^keeping the last known state: .*No such file/)]);
  });

  test("reads a machine as stopped while Docker does not answer", async () => {
    docker.on("info", { code: 1, stderr: "connection refused" });
    expect(await read()).toEqual({ inputs: { ...inputs, running: false }, outputs });
    expect(warnings).toEqual([expect.stringMatching(/^Docker does not answer, so this machine is not running/)]);
  });

  test.each([
    ["was removed", NOT_FOUND],
    ["belongs to another stack", container({}, { "io.kubewright.stack": "other" })],
  ])("finds that the container %s, so that nothing waits for the machine", async (_, answer) => {
    hasDaemon().on("container inspect", answer);
    const own = context();
    expect(await machineResource.read!(own, "abc", { inputs, outputs })).toBeUndefined();
    const { address: host, port, hostKey } = outputs;
    expect(own.unreachable.isMarkedGone({ host, port, hostKey })).toBe(true);
  });
});

describe("a delete", () => {
  const remove = () => machineResource.delete!(context(), "abc", { inputs, outputs });

  test("removes the container and its volumes", async () => {
    hasDaemon().on("container inspect", container()).on("rm", {});
    await remove();
    expect(started("rm")).toEqual(["rm --force --volumes abc"]);
  });

  test("leaves the container of another stack", async () => {
    hasDaemon().on("container inspect", container({}, { "io.kubewright.stack": "other" }));
    await remove();
    expect(started("rm")).toEqual([]);
  });
});

test("another image, from a newer recipe, does not replace a machine: its disk may have the cluster's data", () => {
  expect(machineResource.replaceOn).not.toContain("image");
  expect(machineResource.ignore).toContain("image");
});

describe("an adoption", () => {
  const adopt = () => machineResource.adopt!(context(), inputs);

  test("records the running container, and starts and copies nothing", async () => {
    docker.on("container inspect", answering()).on("exec", { stdout: "ssh-ed25519 AAAA root@worker-1" });
    const { id, outputs: adopted } = await adopt();
    expect([id, adopted]).toMatchObject(["abc", { containerId: "abc", user: "root", hostKey: "ssh-ed25519 AAAA" }]);
    expect(docker.calls.every((call) => /^(container inspect|exec abc cat) /.test(call))).toBe(true);
  });

  test.each<[string, object, RegExp]>([
    ["is stopped", container(STOPPED), /does not run; start it with `docker start kubewright-dev-worker-1`/],
    ["is missing", NOT_FOUND, /no container kubewright-dev-worker-1 of this stack; remove the machine from/],
    ["is that of another stack", container({}, { "io.kubewright.stack": "other" }), /no container .* of this stack/],
    ["is another machine", container({}, { "io.kubewright.machine": "worker-2" }), /no container .* of this stack/],
  ])("is refused where the container %s", async (_what, inspected, message) => {
    docker.on("container inspect", inspected);
    await expect(adopt()).rejects.toThrow(message);
  });
});

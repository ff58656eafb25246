import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silent } from "../../../../common/progress";
import { specHash, type MachineSpec } from "../../../../provider/docker/arguments";
import { findContainer, readFailureLog } from "../../../../provider/docker/container";
import { ensureDaemon, findDaemon } from "../../../../provider/docker/daemon";
import { ensureImage, findImageId } from "../../../../provider/docker/image";
import { readInotifyShortage } from "../../../../provider/docker/inotify";
import {
  ensureContainer,
  removeMachine,
  resizeMachine,
  setAuthorizedKey,
  startMachine,
  stopMachine,
} from "../../../../provider/docker/machine";
import { ensureNetwork, findNetwork, removeNetwork, requireNetwork } from "../../../../provider/docker/network";
import { DockerTraits } from "../../../../provider/docker/probe";
import { removeStack } from "../../../../provider/docker/remove-stack";
import { isContainerOff, isContainerRemoved } from "../../../../provider/docker/removed-container";
import { FakeDocker } from "./fake-docker";
import { INFO, NOT_FOUND, container, network } from "./inspected";

const never = new AbortController().signal;
const ID = "0123456789abcdef0123456789abcdef";
const OTHER_ID = "fedcba9876543210fedcba9876543210";

let docker: FakeDocker;
beforeEach(() => {
  docker = new FakeDocker();
});
afterEach(() => docker.remove());

describe("the daemon", () => {
  test("is described by docker info", async () => {
    docker.on("info", { stdout: JSON.stringify(INFO) });
    expect(await findDaemon(never)).toEqual({ id: "d", version: "20.10", cpus: 4, memoryMiB: 8192, arch: "x86_64" });
    expect((await ensureDaemon({ proxies: {} }, silent, never)).id).toBe("d");
  });

  test.each([
    ["fails", { code: 1, stderr: "Cannot connect to the Docker daemon" }],
    ["answers without a server", { stdout: JSON.stringify({ ...INFO, ServerVersion: "" }) }],
    ["prints no JSON", { stdout: "what" }],
  ])("does not exist when docker info %s", async (_, reply) => {
    docker.on("info", reply);
    expect(await findDaemon(never)).toBeUndefined();
  });

  test("at DOCKER_HOST is not installed, but reported", async () => {
    docker.on("info", { code: 1, stderr: "Cannot connect to the Docker daemon" });
    await expect(ensureDaemon({ host: "tcp://10.0.0.5:2375", proxies: {} }, silent, never)).rejects.toThrow(
      /Cannot connect to the Docker daemon; start the daemon at DOCKER_HOST \(tcp:\/\/10\.0\.0\.5:2375\), or unset it/,
    );
  });
});

describe("containers", () => {
  test("are parsed from docker inspect", async () => {
    docker.on("container inspect", container());
    expect(await findContainer("abc", never)).toMatchObject({
      name: "kubewright-dev-worker-1",
      address: "172.20.0.10",
      cpus: 1.5,
      memory: 2048,
      stack: "dev",
      machine: "worker-1",
      ports: new Map([["22/tcp", 32768]]),
    });
  });

  test("may not exist, which differs from a daemon that does not answer", async () => {
    docker.on("container inspect", NOT_FOUND, { code: 1, stderr: "Cannot connect to the Docker daemon" });
    expect(await findContainer("abc", never)).toBeUndefined();
    await expect(findContainer("abc", never)).rejects.toThrow("Cannot connect");
  });

  test("are described by their log and their failed units", async () => {
    docker.on("logs", { stdout: "\u001b[32m1\u001b[0m\n2" }).on("exec", { stdout: "ssh.service loaded failed\n" });
    expect(await readFailureLog("abc", never)).toBe("1 | 2; failed units: ssh.service");
  });
});

describe("machines", () => {
  const spec: MachineSpec = {
    stack: "dev",
    hostname: "worker-1",
    image: "image",
    network: "net",
    address: "172.20.0.10",
    authorizedKey: "ssh-ed25519 AAAA",
  };
  const traits = { sysResource: true, hostModules: true, derivesMac: true, resolvConf: "nameserver 10.0.0.1\n" };
  const cache = { read: async () => traits } as unknown as DockerTraits;
  const hash = specHash(spec, { traits, publish: true });

  test("are created when there is no container", async () => {
    docker.on("network inspect", network()).on("container inspect", NOT_FOUND);
    docker.on("create", { stdout: "new" }).on("cp", {});
    expect(await ensureContainer(spec, cache, silent, never)).toBe("new");
  });

  test("reuse the container of an interrupted run if its settings are the same", async () => {
    docker.on("network inspect", network()).on("cp", {});
    docker.on("container inspect", container({}, { "io.kubewright.made": hash }));
    expect(await ensureContainer(spec, cache, silent, never)).toBe("abc");
  });

  test("replace a container with other settings", async () => {
    docker.on("network inspect", network()).on("cp", {}).on("rm", {}).on("create", { stdout: "new" });
    docker.on("container inspect", container({}, { "io.kubewright.made": "other" }));
    expect(await ensureContainer(spec, cache, silent, never)).toBe("new");
    expect(docker.calls).toContain("rm --force --volumes abc");
  });

  test("never replace the container of another stack", async () => {
    docker.on("network inspect", network());
    docker.on("container inspect", container({}, { "io.kubewright.stack": "other" }));
    await expect(ensureContainer(spec, cache, silent, never)).rejects.toThrow(
      /does not belong to this stack; remove it/,
    );
    await removeMachine("abc", "dev", never);
    expect(docker.calls.filter((call) => call.startsWith("rm"))).toEqual([]);
  });

  test("need their network", async () => {
    docker.on("network inspect", { code: 1, stderr: "Error: No such network: net" });
    await expect(requireNetwork(spec, never)).rejects.toThrow(/no Docker network net; run `pulumi up --refresh`/);
  });

  test("are resized to the host's size when a limit is removed", async () => {
    docker.on("update", {});
    await resizeMachine("abc", { memory: 1024 }, { id: "d", version: "", cpus: 4, memoryMiB: 8192, arch: "" }, never);
    expect(docker.calls).toEqual(["update --cpus 4 --memory 1024m --memory-swap 1024m abc"]);
  });

  test("are stopped, and get other keys, without being replaced", async () => {
    docker.on("stop", {}).on("cp", {});
    await stopMachine("abc", never);
    await setAuthorizedKey("abc", "worker-1", "ssh-ed25519 BBBB", never);
    expect(docker.calls).toEqual(["stop --time 15 abc", "cp - abc:/"]);
  });

  test("that exit during their start fail with the end of their log", async () => {
    const exited = { State: { Running: false, Status: "exited", ExitCode: 3 } };
    docker.on("container inspect", container(exited)).on("start", {}).on("logs", { stdout: "no init" }).on("exec", {});
    await expect(startMachine("abc", "worker-1", silent, never)).rejects.toThrow(
      "start the machine failed on worker-1: its container exited with code 3; no init; see `docker logs abc`",
    );
  });

  test("count as removed only when the address of their network is unused", async () => {
    docker.on("info", { stdout: JSON.stringify(INFO) }).on("network ls", { stdout: "net" });
    docker.on("network inspect", { stdout: "kubewright-dev 172.20.0.0/24" });
    docker.on("ps", { stdout: "abc" }).on("container inspect", { stdout: "abc 172.20.0.11 172.20.0.11 " });
    docker.on("exec abc cat /etc/machine-id", { stdout: `${ID}\n` });
    expect(await isContainerRemoved({ address: "172.20.0.10", instance: ID }, never)).toBe(true);
    expect(await isContainerRemoved({ address: "172.20.0.11", instance: ID }, never)).toBe(false);
    expect(await isContainerRemoved({ address: "10.0.0.1", instance: ID }, never)).toBe(false);
  });

  test.each([
    ["another machine-id", { stdout: `${OTHER_ID}\n` }, true],
    ["the same machine-id", { stdout: `${ID}\n` }, false],
    ["no machine-id yet", { stdout: "uninitialized\n" }, false],
    ["nothing, because it does not run", { code: 1 }, false],
  ])("count as removed when the container at their address has %s: %j %s", async (_, reply, removed) => {
    docker.on("info", { stdout: JSON.stringify(INFO) }).on("network ls", { stdout: "net" });
    docker.on("network inspect", { stdout: "kubewright-dev 172.20.0.0/24" });
    docker.on("ps --all --quiet --filter network=", { stdout: "abc" });
    docker.on("ps --all --quiet --filter label=", { stdout: "abc" });
    docker.on("container inspect --format {{.Id}}", { stdout: "abc 172.20.0.11 172.20.0.11 " });
    docker.on("container inspect --format {{.State.Running}}", { stdout: "true 172.20.0.11 172.20.0.11 " });
    docker.on("exec abc", reply);
    const machine = { address: "172.20.0.11", instance: ID };
    expect(await isContainerRemoved(machine, never)).toBe(removed);
    expect(await isContainerOff(machine, never)).toBe(removed);
  });
});

describe("networks", () => {
  const spec = { stack: "dev", avoid: ["10.244.0.0/16"] };

  test("are reused if they match", async () => {
    docker.on("network inspect", network());
    expect((await ensureNetwork(spec, never)).id).toBe("net");
    expect((await findNetwork("net", never))?.gateway).toBe("172.20.0.1");
  });

  test("are replaced if they overlap a range to avoid", async () => {
    docker.on("network inspect --format {{json .}}", network(), network(), network({ Id: "new" }));
    docker.on("network ls", {}).on("network rm", {}).on("network create", { stdout: "new" });
    expect((await ensureNetwork({ ...spec, avoid: ["172.20.0.0/16"] }, never)).id).toBe("new");
    expect(docker.calls).toContain("network rm net");
  });

  test("of another owner are never replaced", async () => {
    docker.on("network inspect", network({ Labels: null }));
    await expect(ensureNetwork(spec, never)).rejects.toThrow(/does not belong to this stack/);
    await removeNetwork("net", "dev", never);
    expect(docker.calls.filter((call) => call.startsWith("network rm"))).toEqual([]);
  });

  test("take another subnet when one is taken", async () => {
    docker.on("network inspect --format {{json .}}", { code: 1, stderr: "No such network" }, network({ Id: "new" }));
    docker.on("network ls", {});
    docker.on("network create", { code: 1, stderr: "Pool overlaps with other one" }, { stdout: "new" });
    expect((await ensureNetwork(spec, never)).id).toBe("new");
    expect(docker.calls.filter((call) => call.startsWith("network create"))).toHaveLength(2);
  });
});

describe("the host", () => {
  test("is probed once per image, without what it refuses", async () => {
    docker.on("version", { stdout: "1.41" });
    docker.on("run", { code: 125, stderr: "unable to apply caps" }, { stdout: "nameserver 10.0.0.1" });
    const traits = new DockerTraits();
    const expected = { sysResource: false, hostModules: true, derivesMac: true, resolvConf: "nameserver 10.0.0.1\n" };
    expect(await traits.read("image", never)).toEqual(expected);
    expect(await traits.read("image", never)).toEqual(expected);
    expect(docker.calls).toHaveLength(3);
  });

  test("is probed for all callers, whatever the deadline of the first one", async () => {
    docker.on("version", { stdout: "1.44" }).on("run", { stdout: "" });
    const traits = new DockerTraits();
    const first = new AbortController();
    const [aborted, other] = [traits.read("image", first.signal), traits.read("image", never)];
    first.abort(new Error("the first caller's deadline"));
    await expect(aborted).rejects.toThrow("the first caller's deadline");
    expect((await other).derivesMac).toBe(false);
  });

  test("is probed again after an error", async () => {
    docker.on("version", { code: 1, stderr: "no daemon" }, { stdout: "1.44" }).on("run", { stdout: "" });
    const traits = new DockerTraits();
    await expect(traits.read("image", never)).rejects.toThrow("no daemon");
    expect((await traits.read("image", never)).derivesMac).toBe(false);
  });

  test("is warned about when it has too few inotify instances", async () => {
    docker.on("exec", { stdout: "128" }).on("ps", { stdout: Array.from({ length: 20 }, String).join("\n") });
    expect(await readInotifyShortage("abc", never)).toMatch(/128 inotify instances, too few for 20 machines/);
  });
});

test("an image that the daemon has is not built", async () => {
  docker.on("image inspect", { stdout: "sha256:1" }, { stdout: "sha256:1" }, { code: 1 });
  expect(await ensureImage("auto", silent, never)).toMatchObject({ id: "sha256:1" });
  expect(await findImageId("image", never)).toBe("sha256:1");
  expect(await findImageId("image", never)).toBeUndefined();
});

describe("removing a stack", () => {
  beforeEach(() => {
    docker.on("info", { stdout: JSON.stringify(INFO) });
  });

  test("removes containers, networks and volumes by label", async () => {
    docker.on("ps", { stdout: "a\nb" }).on("rm", {}).on("network ls", { stdout: "net" }).on("network rm", {});
    docker.on("volume ls", {});
    expect(await removeStack("dev", never)).toEqual({ containers: 2, networks: 1, volumes: 0 });
    expect(docker.calls).toContain("rm --force --volumes a b");
  });

  test("tries again what is left after a failure", async () => {
    docker.on("ps", { stdout: "a\nb" }, { stdout: "b" }).on("rm", { code: 1, stderr: "in use" }, {});
    docker.on("network ls", {}).on("volume ls", {});
    expect((await removeStack("dev", never)).containers).toBe(2);
    expect(docker.calls.filter((call) => call.startsWith("rm"))).toEqual([
      "rm --force --volumes a b",
      "rm --force --volumes b",
    ]);
  });
});

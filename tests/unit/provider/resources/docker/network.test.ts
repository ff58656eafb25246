import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { networkResource } from "../../../../../provider/resources/docker/network";
import { testContext } from "../../../../support/context";
import { FakeDocker } from "../../docker/fake-docker";
import { INFO, network } from "../../docker/inspected";

const GONE = { code: 1, stderr: "Error: No such network: net" };
const inputs = { stack: "dev", avoid: ["10.244.0.0/16"] };
const outputs = { networkName: "kubewright-dev", actualSubnet: "172.20.0.0/24", gateway: "172.20.0.1" };

let docker: FakeDocker;
let warnings: string[];
beforeEach(() => {
  docker = new FakeDocker();
  warnings = [];
});
afterEach(() => docker.remove());

const context = () => testContext({ name: "network", warn: (message) => void warnings.push(message) });
const hasDaemon = () => docker.on("info", { stdout: JSON.stringify(INFO) });
const read = (changes: object = {}) =>
  networkResource.read!(context(), "net", { inputs: { ...inputs, ...changes }, outputs });

test("a subnet that overlaps a range of pods or services is refused at the preview", () => {
  const check = (subnet: string) => networkResource.check!({ ...inputs, subnet }, context());
  expect(check("10.244.3.0/24")).toEqual([{ path: "subnet", reason: "overlaps with 10.244.0.0/16" }]);
  expect(check("172.30.0.0/24")).toEqual([]);
});

test("a network is created in the configured subnet", async () => {
  hasDaemon().on("network inspect --format {{json .}}", GONE, network()).on("network ls", {});
  docker.on("network create", { stdout: "net" });
  expect(await networkResource.create(context(), { ...inputs, subnet: "172.20.0.0/24" })).toEqual({
    id: "net",
    outputs,
  });
  expect(docker.calls.find((call) => call.startsWith("network create"))).toContain("--subnet 172.20.0.0/24");
});

describe("another range to avoid", () => {
  const update = (avoid: string[]) =>
    networkResource.update!(context(), "net", { ...inputs, avoid }, { inputs, outputs });

  test("changes nothing where the subnet does not overlap it", async () => {
    expect(await update(["10.96.0.0/12"])).toEqual(outputs);
    expect(docker.calls).toEqual([]);
  });

  test("fails where the subnet overlaps it, with the command that replaces the network", async () => {
    await expect(update(["172.20.0.0/16"])).rejects.toThrow(
      /network failed: the network's subnet 172.20.0.0\/24 overlaps with 172.20.0.0\/16; replace .*pulumi up --replace/,
    );
  });
});

describe("a refresh", () => {
  test("reads another subnet as drift only where the program sets one", async () => {
    const IPAM = { Config: [{ Subnet: "172.21.0.0/24", Gateway: "172.21.0.1" }] };
    hasDaemon().on("network inspect", network({ IPAM }));
    expect(await read()).toMatchObject({ inputs, outputs: { actualSubnet: "172.21.0.0/24" } });
    expect((await read({ subnet: "172.20.0.0/24" }))?.inputs).toEqual({ ...inputs, subnet: "172.21.0.0/24" });
    expect((await read())?.inputs).toEqual(inputs);
  });

  test("finds that the network was removed", async () => {
    hasDaemon().on("network inspect", GONE);
    expect(await read()).toBeUndefined();
  });

  test("keeps the recorded state while Docker does not answer", async () => {
    docker.on("info", { code: 1, stderr: "connection refused" });
    expect(await read()).toEqual({ inputs, outputs });
    expect(warnings).toEqual(["Docker does not answer: keeping the last known state of the network"]);
  });
});

describe("a delete", () => {
  const remove = () => networkResource.delete!(context(), "net", { inputs, outputs });

  test("removes the network", async () => {
    hasDaemon().on("network inspect", network()).on("network rm", {});
    await remove();
    expect(docker.calls).toContain("network rm net");
  });

  test("fails while other containers use the network, with the command that lists them", async () => {
    hasDaemon().on("network inspect", network()).on("network rm", { code: 1, stderr: "has active endpoints" });
    await expect(remove()).rejects.toThrow(/has active endpoints; run `docker network inspect kubewright-dev`/);
  });
});

describe("an adoption", () => {
  const adopt = () => networkResource.adopt!(context(), inputs);

  test("records the network of the stack", async () => {
    docker.on("network inspect", network());
    expect(await adopt()).toEqual({ id: "net", outputs });
    expect(docker.calls).toEqual(["network inspect --format {{json .}} kubewright-dev"]);
  });

  test.each([
    ["is missing", GONE],
    ["belongs to another stack", network({ Labels: { "io.kubewright.stack": "other" } })],
  ])("is refused where the network %s", async (_what, answer) => {
    docker.on("network inspect", answer);
    await expect(adopt()).rejects.toThrow(/Docker has no network kubewright-dev of this stack; check the stack's name/);
  });
});

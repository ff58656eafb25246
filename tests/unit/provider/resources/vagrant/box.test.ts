import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { boxResource, parseBoxes } from "../../../../../provider/resources/vagrant/box";
import { testContext } from "../../../../support/context";
import { FakeDocker } from "../../docker/fake-docker";
import { INFO } from "../../docker/inspected";

const LIST = [
  "1,,box-name,fedora/41",
  "1,,box-provider,libvirt",
  "1,,box-version,2024.1",
  "1,,box-name,debian/12",
  "1,,box-provider,virtualbox",
  "1,,box-version,12.1",
].join("\n");
const inputs = { provider: "libvirt" as const, box: "fedora/41" };

let vagrant: FakeDocker;
let docker: FakeDocker;
let cache: string;
beforeEach(() => {
  vagrant = new FakeDocker("vagrant");
  docker = new FakeDocker();
  cache = mkdtempSync(join(tmpdir(), "box-test-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
});
afterEach(() => {
  vagrant.remove();
  docker.remove();
  rmSync(cache, { recursive: true, force: true });
});

const added = () => vagrant.calls.filter((call) => call.startsWith("box add"));
const read = (changes: object = {}, id = "fedora/41") =>
  boxResource.read!(testContext(), id, { inputs: { ...inputs, ...changes }, outputs: { ref: id } });

describe("a box", () => {
  test("that Vagrant has is not downloaded", async () => {
    vagrant.on("box list", { stdout: LIST });
    expect(await boxResource.create(testContext(), inputs)).toEqual({
      id: "fedora/41",
      outputs: { ref: "fedora/41" },
    });
    expect(added()).toEqual([]);
  });

  test.each([
    [
      "in another version",
      { version: "2024.2" },
      "box add --no-color --provider libvirt --box-version 2024.2 fedora/41",
    ],
    ["for another provider", { box: "debian/12" }, "box add --no-color --provider libvirt debian/12"],
  ])("that Vagrant has only %s is added", async (_, changes, command) => {
    vagrant.on("box list", { stdout: LIST }).on("box add", {});
    await boxResource.create(testContext(), { ...inputs, ...changes });
    expect(added()).toEqual([command]);
  });

  test("that cannot be downloaded fails with the command that adds it from a file", async () => {
    vagrant.on("box list", {}).on("box add", { code: 1, stderr: "404 Not Found" });
    await expect(boxResource.create(testContext(), { ...inputs, version: "1.0" })).rejects.toThrow(
      /vagrant box add fedora\/41 1.0 failed: .*404 Not Found; .*run `vagrant box add --name fedora\/41 FILE`/s,
    );
  });

  test("is gone when Vagrant no longer lists its version", async () => {
    vagrant.on("box list", { stdout: LIST });
    expect(await read({ version: "2024.1" })).toBeDefined();
    expect(await read({ version: "2024.2" })).toBeUndefined();
  });
});

describe("a box of the docker provider", () => {
  const own = { provider: "docker" as const, box: undefined, image: "kubewright/machine:1" };
  const hasDaemon = () =>
    docker
      .on("info", { stdout: JSON.stringify(INFO) })
      .on("version", { stdout: "1.44" })
      .on("run", { stdout: "nameserver 10.0.0.1" });

  test("is built from the machine image", async () => {
    hasDaemon().on("image inspect", { code: 1 }).on("build", {});
    const { id } = await boxResource.create(testContext(), own);
    expect(id).toMatch(/^kubewright\/box:[0-9a-f]{12}$/);
    const [build = ""] = docker.calls.filter((call) => call.startsWith("build"));
    expect(build).toContain("--build-arg BASE=kubewright/machine:1");
    expect(build).toContain(`--tag ${id}`);
  });

  test("is gone when the daemon has no such image, and stays while the daemon does not answer", async () => {
    docker
      .on("info", { stdout: JSON.stringify(INFO) }, { code: 1, stderr: "refused" })
      .on("image inspect", { code: 1 });
    expect(await read(own, "kubewright/box:1")).toBeUndefined();
    expect(await read(own, "kubewright/box:1")).toBeDefined();
  });
});

test("rows of `vagrant box list` that belong to no box are ignored", () => {
  expect(parseBoxes("1,,box-provider,libvirt\n1,,ui,info,text\n")).toEqual([]);
  expect(parseBoxes(LIST).map(({ box, provider, version }) => [box, provider, version])).toEqual([
    ["fedora/41", "libvirt", "2024.1"],
    ["debian/12", "virtualbox", "12.1"],
  ]);
});

import { beforeEach, expect, test } from "vitest";
import { packagesResource } from "../../../../provider/resources/packages";
import { MemoryMachine } from "../../../support/memory-machine";
import { ScriptedMachine } from "../../../support/scripted-machine";

const NAMES = ["conntrack", "ethtool", "socat"];

/** A machine with packages; some do not exist in its package sources. */
class PackageMachine extends MemoryMachine {
  readonly installed = new Set<string>();
  readonly unavailable = new Set<string>();

  constructor() {
    super();
    const missing = () => NAMES.filter((name) => !this.installed.has(name)).join("\n");
    this.on(/dpkg-query|rpm -q/, (script) => (script.includes("install -y") ? "" : missing()));
    this.on(/(apt-get -qq install -y|dnf .*install) (.*)/, (script) => {
      const line = script.split("\n").findLast((one) => one.includes("install")) ?? "";
      for (const name of NAMES)
        if (line.split(" ").includes(name) && !this.unavailable.has(name)) this.installed.add(name);
      return "";
    });
  }
}

let machine: PackageMachine;
beforeEach(() => void (machine = new PackageMachine()));
const inputs = (osFamily = "debian") => ({ ...machine.target, packages: NAMES, osFamily });
const create = (osFamily?: string) => packagesResource.create(machine.context(), inputs(osFamily));
const installations = () => machine.scripts.filter((script) => /apt-get|dnf/.test(script));

test("the missing packages are installed, and only those", async () => {
  machine.installed.add("socat");
  await create();
  expect([...machine.installed].sort()).toEqual(NAMES);
  expect(installations()).toEqual([expect.not.stringContaining("socat")]);
});

test("nothing is installed where all packages are, and on other distributions", async () => {
  await create("other");
  expect(machine.scripts).toEqual([]);
  NAMES.forEach((name) => machine.installed.add(name));
  await create();
  expect(installations()).toEqual([]);
});

test("a package that dnf skipped fails the installation by name", async () => {
  machine.unavailable.add("socat");
  await expect(create("fedora")).rejects.toThrow(
    /installing packages failed on worker-1.*: socat is still missing; install socat manually, or configure a package/,
  );
});

test("a service that Debian starts with its package stays stopped and disabled", async () => {
  await packagesResource.create(machine.context(), { ...inputs(), unusedServices: ["haproxy.service"] });
  const [script = ""] = installations();
  expect(script.indexOf("systemctl -q mask haproxy.service")).toBeLessThan(script.indexOf("apt-get"));
  expect(script).toMatch(/trap 'systemctl -q unmask haproxy.service; systemctl -q disable haproxy.service.*' EXIT/);
});

test("a failed installation names the packages to install", async () => {
  machine.on(/apt-get/, () => ({ code: 100, stderr: "Unable to locate package socat" }));
  await expect(create()).rejects.toThrow(
    /: Unable to locate package socat; install conntrack ethtool socat manually, or configure a package source/,
  );
});

test("the status shows which process holds the package lock", async () => {
  const status: string[] = [];
  const held = "waiting: E: Could not get lock /var/lib/dpkg/lock. It is held by process 812 (apt)";
  let isInstalled = false;
  const locked = new ScriptedMachine((script) => {
    if (!script.includes("apt-get")) return { stdout: isInstalled ? "" : "socat\n" };
    isInstalled = true;
    return { lines: [held, "Setting up socat"] };
  });
  const context = machine.context({ status: (message) => void status.push(message) });
  context.connections.get = () => Object.assign(locked, { machineId: async () => "a1" }).remote;
  await packagesResource.create(context, { ...inputs(), packages: ["socat"] });
  expect(status).toEqual(["installing socat", held]);
});

test("a refresh reports removed packages, and the next update installs them", async () => {
  await create();
  machine.installed.delete("ethtool");
  const read = await packagesResource.read!(machine.context(), "id", { inputs: inputs(), outputs: {} });
  expect(read?.inputs).toEqual({ ...inputs(), packages: ["conntrack", "socat"] });
  await packagesResource.update!(machine.context(), "id", inputs(), read!);
  expect(machine.installed.has("ethtool")).toBe(true);
});

import "reflect-metadata";
import { execFileSync } from "node:child_process";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { unitResource } from "../../../../provider/resources/unit";
import { demoUnit } from "../../../support/demo-machine";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const GOOD = { "/etc/demo/demo.conf": { content: "port: 1\n", mode: "0644" } };

let machine: MemoryMachine;
beforeEach(() => {
  machine = new MemoryMachine();
  machine.on(/systemctl show -p ActiveState/, () => "ActiveState=active\nSubState=exited\nUnitFileState=enabled\n");
});
const context = () => machine.context();
const inputs = (files: typeof GOOD) => demoUnit(machine, files);

describe("a delete", () => {
  const withState = () => ({ ...inputs(GOOD), state: ["/var/lib/demo", "/opt/demo"] });
  const remove = () => unitResource.delete!(context(), "id", { inputs: withState(), outputs: {} });

  test("empties the unit's folders, except those that existed before the machine's first change", async () => {
    machine.on(/grep -qsxF "folder \$f"/, () => "/opt/demo\n");
    await remove();
    const emptied = machine.scripts.filter((script) => script.includes("-mindepth 1 -delete")).join("\n");
    expect(emptied).toContain("find /opt/demo ");
    expect(emptied).not.toContain("/var/lib/demo");
  });

  test("ends processes that the unit leaves, unless the unit was active before", async () => {
    await remove();
    expect(machine.scripts.find((script) => script.includes("systemctl disable"))).toMatch(
      /^grep -qsx 'active demo.service' .*machine-before \|\| systemctl kill --signal=KILL demo.service/m,
    );
  });

  test("deletes what a unit of Kubewright leaves in /run, and nothing of another's", async () => {
    await remove();
    const script = machine.scripts.find((one) => one.includes("systemctl disable")) ?? "";
    const runFor = (unit: string) =>
      execFileSync("/bin/sh", ["-c", `rm() { echo "$@"; }\n${script.replaceAll("demo.service", unit)}`], {
        encoding: "utf8",
        env: { PATH: "/nonexistent" },
        stdio: ["ignore", "pipe", "ignore"],
      });
    expect(runFor("kubewright-demo.service")).toBe("-rf /run/kubewright-demo.*\n");
    expect(runFor("demo.service")).toBe("");
  });

  test("enables and starts a unit again that the machine had before, after its files are restored", async () => {
    await remove();
    const restored = machine.scripts.findIndex((script) => script.includes("/var/lib/kubewright/previous"));
    const started = machine.scripts.findIndex((script) => script.includes("systemctl start demo.service"));
    expect(machine.scripts[started]).toContain("grep -qsx 'active demo.service' /var/lib/kubewright/machine-before");
    expect(started).toBeGreaterThan(restored);
  });
});

test("an update records folders that the unit gains, because they may have been there before", async () => {
  const gained = { ...inputs(GOOD), state: ["/var/lib/demo"] };
  await settle(unitResource.update!(context(), "id", gained, { inputs: inputs(GOOD), outputs: {} }));
  expect(machine.scripts.some((script) => /for f in \/var\/lib\/demo; do[^]*>> .*machine-before/.test(script))).toBe(
    true,
  );
});

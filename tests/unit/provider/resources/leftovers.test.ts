import { beforeEach, expect, test, vi } from "vitest";
import { leftoversResource } from "../../../../provider/resources/leftovers";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

/** A machine on which a container still appears in the next `listings` listings. */
class ContainerMachine extends MemoryMachine {
  container = "kube-proxy";
  listings = 0;

  constructor() {
    super();
    this.on(/docker ps -q/, (script) => (script.includes(this.container) && this.listings-- > 0 ? "c1\n" : ""));
  }
}

let machine: ContainerMachine;
beforeEach(() => void (machine = new ContainerMachine()));
const inputs = (of: string) => ({ ...machine.target, of });
const remove = (of: string) =>
  settle(leftoversResource.delete!(machine.context(), "id", { inputs: inputs(of), outputs: {} }));
const cleanups = () => machine.scripts.filter((script) => !script.includes("docker ps"));

test("creation and update change nothing on the machine", async () => {
  const { id } = await leftoversResource.create(machine.context(), inputs("flannel"));
  await leftoversResource.update!(machine.context(), id, inputs("flannel"), {
    inputs: inputs("flannel"),
    outputs: {},
  });
  expect(machine.scripts).toEqual([]);
});

test("the rules of kube-proxy are removed after its container has stopped, which would add them again", async () => {
  machine.listings = 3;
  await remove("kube-proxy");
  expect(machine.listings).toBe(-1);
  expect(cleanups()).toEqual([expect.stringContaining("KUBE-")]);
  expect(machine.scripts.at(-1)).toContain("KUBE-");
});

test("flannel's links are not removed while flannel runs", async () => {
  machine.container = "kube-flannel";
  machine.listings = Infinity;
  await expect(remove("flannel")).rejects.toThrow(
    /stopping kube-flannel failed on worker-1.*still running after 120 s/,
  );
  expect(cleanups()).toEqual([]);
});

test("a failed cleanup names the component", async () => {
  machine.on(/exit 0\n$/, () => ({ code: 1, stderr: "device busy" }));
  await expect(remove("kubelet")).rejects.toThrow(/removing what kubelet left failed on worker-1.*: device busy/);
});

test("a rebuilt machine has no leftovers", async () => {
  machine.instance = "b2";
  await remove("kube-proxy");
  expect(machine.scripts).toEqual([]);
});

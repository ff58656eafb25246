import "reflect-metadata";
import { beforeEach, expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import { proveServingCertificate } from "../../../../provider/kubelet/prove-serving";
import { unitResource } from "../../../../provider/resources/unit";
import { CONFIG, DemoMachine, GOOD, demoUnit } from "../../../support/demo-machine";
import { settle, useFakeTime } from "../../../support/fake-time";

vi.mock("../../../../provider/kubelet/prove-serving", () => ({ proveServingCertificate: vi.fn() }));
vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const CHANGED = { [CONFIG]: { content: "policy: none\nserverTLSBootstrap: true\n", mode: "0644" } };
let machine: DemoMachine;
beforeEach(() => {
  machine = new DemoMachine();
  vi.mocked(proveServingCertificate).mockReset();
});

const node = { name: "worker-1", controlPlanes: [], servingAddresses: ["10.0.0.12"] };
const inputs = (files: typeof GOOD) => ({ ...demoUnit(machine, files), node });
const create = (files: typeof GOOD) => settle(unitResource.create(machine.recording(), inputs(files)));
const update = (files: typeof GOOD) =>
  settle(unitResource.update!(machine.recording(), "id", inputs(files), { inputs: inputs(GOOD), outputs: {} }));

test("a kubelet that was started must serve its certificate", async () => {
  await create(GOOD);
  expect(proveServingCertificate).toHaveBeenCalledExactlyOnceWith(expect.anything(), machine, node);
});

test("a kubelet that was not started is not asked", async () => {
  await create(GOOD);
  vi.mocked(proveServingCertificate).mockReset();
  await update(GOOD);
  expect(proveServingCertificate).not.toHaveBeenCalled();
});

test("a kubelet that gets no certificate has its previous files again, which need none", async () => {
  await create(GOOD);
  vi.mocked(proveServingCertificate).mockReset();
  vi.mocked(proveServingCertificate).mockRejectedValue(new StepError({ step: "starting", cause: "no certificate" }));
  await expect(update(CHANGED)).rejects.toThrow(/no certificate[^]*The previous files were restored/);
  expect(machine.files.get(CONFIG)).toEqual(GOOD[CONFIG]);
  expect(proveServingCertificate).toHaveBeenCalledOnce();
});

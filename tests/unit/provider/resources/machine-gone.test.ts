import { beforeEach, describe, expect, test } from "vitest";
import { proveMachineGone } from "../../../../provider/resources/machine-gone";
import { ConnectionError } from "../../../../provider/ssh/errors";
import type { Remote } from "../../../../provider/ssh/remote";
import { testContext } from "../../../support/context";

const signal = new AbortController().signal;
const connection = { host: "10.0.0.1", port: 22, user: "root", name: "worker-1" };
let isOff: boolean;
let machineId: string | Error;

beforeEach(() => {
  isOff = false;
  machineId = new ConnectionError(connection, "connect ETIMEDOUT", "transient");
});

async function prove(fence?: string, abandoned: string[] = []) {
  const context = testContext({ isMachineOff: async () => isOff }, { abandoned });
  const id = () => (machineId instanceof Error ? Promise.reject(machineId) : Promise.resolve(machineId));
  context.connections.get = () => ({ machineId: id, label: "worker-1" }) as unknown as Remote;
  return await proveMachineGone(
    context,
    { connection, instance: "id-1", fence },
    { signal, deadline: Date.now() + 60_000 },
  );
}

describe("a silent machine is gone", () => {
  test("when the configuration names it as abandoned", async () => {
    expect(await prove(undefined, ["worker-1"])).toMatchObject({ gone: true });
  });

  test("when its maker says that it is off", async () => {
    isOff = true;
    expect(await prove()).toEqual({ gone: true, reason: "worker-1 is stopped or deleted" });
  });

  test("when it was rebuilt", async () => {
    machineId = "id-2";
    expect(await prove()).toMatchObject({ gone: true });
  });

  test("when the fencing command has powered it off", async () => {
    const state = await prove('[ "$KUBEWRIGHT_MACHINE $KUBEWRIGHT_HOST" = "worker-1 10.0.0.1" ]');
    expect(state).toEqual({ gone: true, reason: "drain.fence has powered worker-1 off" });
  });
});

describe("a silent machine is not gone", () => {
  test("because it does not answer", async () => {
    expect(await prove()).toMatchObject({ gone: false });
  });

  test("when the fencing command fails", async () => {
    const state = await prove("echo no such chassis >&2; exit 3");
    expect(state.gone).toBe(false);
    expect(state.reason).toMatch(/drain.fence failed: .*no such chassis/s);
  });
});

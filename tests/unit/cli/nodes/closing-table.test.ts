import { expect, test } from "vitest";
import { closingTable } from "../../../../cli/nodes/closing-table";
import { connectionTo } from "../../../support/connection";
import { CLUSTER, fakeApi, fakeSession, fakeStack } from "../fake-stack";

const CONTROL_PLANE = { name: "control-plane-1", labels: { "node-role.kubernetes.io/control-plane": "" } };

test("lists the nodes as kubectl does, read through SSH to the control planes", async () => {
  const session = fakeSession(async () => fakeApi(CONTROL_PLANE, { name: "worker-1", cordoned: true }));
  expect((await closingTable(fakeStack(CLUSTER), session))?.split("\n").slice(0, 3)).toEqual([
    "NAME              STATUS                     ROLES           AGE   VERSION   INTERNAL-IP   CONTAINER-RUNTIME",
    "control-plane-1   Ready                      control-plane   5m    v1.36.3   10.0.0.11     containerd://2.4.2",
    "worker-1          Ready,SchedulingDisabled   <none>          5m    v1.36.3   10.0.0.11     containerd://2.4.2",
  ]);
  expect(session.asked).toEqual([[connectionTo({ name: "control-plane-1", host: "10.0.0.10" })]]);
});

test("warns of a node under disk pressure, with what to do", async () => {
  const full = { name: "worker-1", conditions: ["DiskPressure"], evicted: 2 };
  const table = await closingTable(
    fakeStack(CLUSTER),
    fakeSession(async () => fakeApi(full)),
  );
  expect(table).toMatch(
    /\nwarning: worker-1: DiskPressure: its disk is nearly full, and 2 pods were evicted; free space/,
  );
});

test("an API that does not answer is a warning with the next command, not an error", async () => {
  expect(await closingTable(fakeStack(CLUSTER), fakeSession())).toBe(
    "warning: the nodes could not be listed: there is no API; check the cluster with `npm run status`",
  );
});

test("without a cluster there is no table", async () => {
  expect(await closingTable(fakeStack(), fakeSession())).toBeUndefined();
});

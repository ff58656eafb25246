import { afterAll, beforeAll, expect, test } from "vitest";
import { RENEWAL_FOLDER, renewalFiles } from "../../../render/renew-certificates";
import { ApiServer } from "../../support/apiserver";

let server: ApiServer;

beforeAll(async () => {
  server = await ApiServer.start();
  await server.run("kubectl", ["wait", "--for=create", "namespace/kube-system", "--timeout=30s"]);
});
afterAll(async () => await server?.stop());

/** Runs functions of the timer's script as a control plane, without waiting for another one. */
async function as(node: string, script: string): Promise<string> {
  const lease = renewalFiles({ node, healthySeconds: 1 })[`${RENEWAL_FOLDER}/lease.sh`]?.content ?? "";
  return await server.run("sh", ["-uc", `node=${node} problem=\n${lease}\nlease_wait=0\n${script}`]);
}
const take = (node: string) => as(node, 'take_lease; echo "$? $problem"');
const free = (node: string) => as(node, "release_lease");

test("one control plane has the Lease until it releases it", async () => {
  expect(await take("cp-1")).toBe("0 ");
  expect(await take("cp-2")).toBe("2 ");
  await free("cp-2");
  expect(await take("cp-2")).toBe("2 ");
  await free("cp-1");
  expect(await take("cp-2")).toBe("0 ");
  expect(await take("cp-2")).toBe("0 ");
});

test("of control planes that read the free Lease together, the API server lets one take it", async () => {
  await free("cp-2");
  const write = `spec='"holderIdentity":"'$node'","leaseDurationSeconds":3600'; set -- $(read_lease)`;
  const [version = ""] = (await as("cp-1", "read_lease")).split(" ");
  expect(await as("cp-1", `${write}; write_lease replace ${version} "$spec" >/dev/null; echo $?`)).toBe("0");
  const second = await as("cp-2", `${write}; write_lease replace ${version} "$spec"; echo $?`);
  expect(second).toMatch(/Conflict|has been modified/);
  expect(second).toMatch(/1$/);
});

test("a Lease that was not renewed for an hour is free", async () => {
  const old = '"holderIdentity":"cp-9","leaseDurationSeconds":3600,"renewTime":"2020-01-01T00:00:00.000000Z"';
  await as("cp-1", `set -- $(read_lease); write_lease replace "$1" '${old}'`);
  expect(await take("cp-2")).toBe("0 ");
});

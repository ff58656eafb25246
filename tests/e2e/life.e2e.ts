import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadVersions } from "../../artifacts/index";
import { BackedUpCluster } from "../support/backed-up-cluster";
import { kubeletVersions, nodeNames, waitForNodes, waitForPods } from "../support/cluster-client";
import { readStatus } from "../support/cluster-status";
import { loadSince } from "../support/load-client";
import { previousVersion, versionBefore } from "../support/versions";

const CONTROL_PLANES = ["control-plane-1", "control-plane-2", "control-plane-3"];
const NODES = [...CONTROL_PLANES, "worker-1", "worker-2"];
const LEAST_REQUESTS = 5_000;
/** The kubelet of the version after the first one refuses a flag that kubeadm sets for this one. */
const FROM = versionBefore(loadVersions(), 2);
const TO = previousVersion(loadVersions());

const cluster = new BackedUpCluster("e2e-life");
const { stack } = cluster;

beforeAll(async () => await cluster.create("--config", `kubernetes.version=${FROM}`));
afterAll(async () => await cluster.remove());

test("it is created small and old", async () => {
  expect(await nodeNames(cluster.kubectl)).toEqual(["control-plane-1", "worker-1"]);
  expect(await kubeletVersions(cluster.kubectl)).toEqual([FROM, FROM]);
  await stack.check();
});

test("it grows", async () => {
  const { code, text } = await stack.up("--config", "controlPlane.count=3", "--config", "workers.count=2");
  expect(code, text).toBe(0);
  await waitForNodes(cluster.kubectl, ...NODES);
  expect(await kubeletVersions(cluster.kubectl)).toEqual(NODES.map(() => FROM));
});

test(`it is upgraded to ${TO}`, async () => {
  const { code, text } = await stack.npmRun("upgrade", "--to", TO, "--yes");
  expect(code, text).toBe(0);
  await cluster.connect();
  expect(await kubeletVersions(cluster.kubectl)).toEqual(NODES.map(() => TO));
  await stack.check();
});

test("it loses a control plane, and gets another one", async () => {
  execFileSync("docker", ["rm", "--force", "--volumes", ...(await stack.containers("control-plane-2"))]);
  const { code, text } = await stack.up("--refresh");
  expect(code, text).toBe(0);
  await cluster.connect();
  await waitForNodes(cluster.kubectl, ...NODES);
  const { etcd } = await readStatus(stack);
  expect(etcd?.members.map(({ name }) => name).sort()).toEqual(CONTROL_PLANES);
});

test("it is backed up, and the backup is tried", async () => {
  await cluster.kubectl("create", "configmap", "stays");
  const backup = await stack.npmRun("backup");
  expect(backup.code, backup.text).toBe(0);
  const drill = await stack.npmRun("backup:drill");
  expect(drill.code, drill.text).toBe(0);
  expect(drill.text).toContain("can be restored");
  const { problems, healthy } = await readStatus(stack);
  expect(problems).toEqual([]);
  expect(healthy).toBe(true);
});

test("it is restored", async () => {
  await cluster.kubectl("create", "configmap", "created-later");
  const { code, text } = await stack.npmRun("restore", "--yes");
  expect(code, text).toBe(0);
  expect(await cluster.configMaps()).toEqual(["stays"]);
  await waitForNodes(cluster.kubectl, ...NODES);
  await waitForPods(cluster.kubectl);
});

test("its certificates are renewed before they end", async () => {
  await stack.on("control-plane-1", AGE_CERTIFICATE);
  expect(await daysOfApiServer()).toBeLessThan(30);
  const { code, text } = await stack.up("--refresh");
  expect(code, text).toBe(0);
  expect(await daysOfApiServer()).toBeGreaterThan(300);
});

test("then there is nothing to change, and no request has failed", async () => {
  expect((await stack.up()).text).toContain("Nothing to change");
  const { total, failed } = loadSince({ total: 0, failed: 0, failures: [] }, cluster.client);
  expect(total).toBeGreaterThan(LEAST_REQUESTS);
  expect(failed, cluster.client.load.failures.join("\n")).toBe(0);
});

test("it is taken down", async () => {
  const { stackId } = await stack.outputs();
  const containers = () =>
    execFileSync("docker", ["ps", "-a", "-q", "--filter", `label=io.kubewright.stack=${String(stackId)}`]).toString();
  expect(containers().trim().split("\n")).toHaveLength(NODES.length);
  await cluster.stopClients();
  const { code, text } = await stack.npmRun("down", "--yes");
  expect(code, text).toBe(0);
  expect(containers()).toBe("");
});

/** Issues the certificate of the API server again with the same key and names, as if it were of a year ago. */
const AGE_CERTIFICATE = `set -e
pki=/etc/kubernetes/pki; cd "$(mktemp -d)"
touch index.txt
printf '%s\\n' '[ca]' 'default_ca = d' '[d]' 'database = index.txt' 'new_certs_dir = .' 'policy = p' \\
  'rand_serial = yes' 'copy_extensions = copyall' 'default_md = sha256' '[p]' 'commonName = supplied' > ca.conf
openssl x509 -x509toreq -copy_extensions copyall -in $pki/apiserver.crt -signkey $pki/apiserver.key -out request.pem
openssl ca -batch -notext -config ca.conf -cert $pki/ca.crt -keyfile $pki/ca.key -in request.pem -out aged.crt \\
  -startdate "$(date -u -d '-345 days' +%Y%m%d%H%M%SZ)" -enddate "$(date -u -d '+20 days' +%Y%m%d%H%M%SZ)"
cat aged.crt > $pki/apiserver.crt`;

/** Days until the certificate of the first control plane's API server ends. */
async function daysOfApiServer(): Promise<number | undefined> {
  const { certificates } = await readStatus(stack);
  return certificates.find(({ node, name }) => node === "control-plane-1" && name === "apiserver")?.daysLeft;
}

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { projectRoot } from "../../common/project-root";
import { run } from "../../common/process";
import { HcloudApi } from "../support/hcloud/api";
import { SharedPlugin } from "../support/shared-plugin";
import { kubectlOf } from "../support/cluster-client";
import { TestStack } from "../support/test-stack";

const TOKEN = "emulated".repeat(8);
const plugin = new SharedPlugin("hcloud");
const { missing } = plugin;

let folder: string;
let api: HcloudApi;
let stack: TestStack;

beforeAll(async () => {
  if (missing) return;
  folder = mkdtempSync(join(tmpdir(), "kubewright-hetzner-"));
  await Promise.all([plugin.unpack(folder), installSdk()]);
  api = await HcloudApi.start(`e2e-hetzner-${process.pid}`, TOKEN);
  stack = new TestStack("e2e-hetzner", {
    HCLOUD_TOKEN: TOKEN,
    HCLOUD_ENDPOINT: api.endpoint,
    NODE_PATH: join(folder, "node_modules"),
    PATH: `${folder}:${process.env.PATH}`,
  });
  await stack.down();
});
beforeEach(({ skip }) => skip(missing !== undefined, missing));
afterAll(async () => {
  if (missing) return;
  await stack.down("--force");
  stack.removeFiles();
  await api.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Installs the SDK in a separate folder: this project does not depend on it. */
async function installSdk(): Promise<void> {
  writeFileSync(join(folder, "package.json"), "{}");
  await run(
    "npm",
    ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", "@pulumi/hcloud@1.41.0"],
    { cwd: folder },
  );
  mkdirSync(join(folder, "node_modules", "@pulumi"), { recursive: true });
  rmSync(join(folder, "node_modules", "@pulumi", "pulumi"), { recursive: true, force: true });
  symlinkSync(
    join(projectRoot(), "node_modules", "@pulumi", "pulumi"),
    join(folder, "node_modules", "@pulumi", "pulumi"),
  );
}

test("npm start orders servers with our host key, waits for cloud-init and joins them", async () => {
  const config = [
    "machines.kind=hetzner",
    "workers.count=1",
    "network.flannel.backend=vxlan",
    "controlPlane.endpoint.kind=loadBalancer",
  ].flatMap((setting) => ["--config", setting]);
  const { code, text } = await stack.up(...config);
  expect(code, text).toBe(0);
  for (const node of ["control-plane-1", "worker-1"]) expect(text).toMatch(new RegExp(`${node} +Ready `));
  expect(text).toContain("waiting for cloud-init");
  expect(text).not.toContain("first connection: its host key");
  expect(api.unknown).toEqual([]);
  const servers = api
    .list("servers")
    .map((server) => [server.name, (server.private_net as { ip: string }[])[0]?.ip])
    .sort();
  expect(servers).toEqual([
    ["e2e-hetzner-control-plane-1", "10.90.0.10"],
    ["e2e-hetzner-worker-1", "10.90.0.19"],
  ]);
  const kubectl = await kubectlOf(stack);
  expect(
    (await kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.addresses[?(@.type=='InternalIP')].address}"))
      .split(" ")
      .sort(),
  ).toEqual(["10.90.0.10", "10.90.0.19"]);
});

/** The names of the servers to which the only load balancer forwards connections. */
function targetNames(): unknown[] {
  const [balancer] = api.list("load_balancers");
  const names = new Map(api.list("servers").map(({ id, name }) => [id, name]));
  return ((balancer?.targets ?? []) as { server: { id: number } }[]).map(({ server }) => names.get(server.id)).sort();
}

test("the kubeconfig leads through the load balancer, which checks the API server on the private network", async () => {
  const [balancer, ...others] = api.list("load_balancers");
  expect(others).toEqual([]);
  expect(balancer).toMatchObject({
    name: "e2e-hetzner-api",
    private_net: [{ ip: "10.90.0.2" }],
    services: [{ protocol: "tcp", listen_port: 6443, health_check: { protocol: "http", http: { tls: true } } }],
    targets: [{ type: "server", use_private_ip: true }],
  });
  expect(targetNames()).toEqual(["e2e-hetzner-control-plane-1"]);
  const { ip } = (balancer?.public_net as { ipv4: { ip: string } }).ipv4;
  const kubectl = await kubectlOf(stack);
  expect(await kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")).toBe(`https://${ip}:6443`);
});

test("a second run changes nothing", async () => {
  expect((await stack.up()).text).toContain("Nothing to change");
});

test("growth adds targets, and changes neither the load balancer nor the kubeconfig", async () => {
  const kubectl = await kubectlOf(stack);
  const server = () => kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}");
  const before = { id: api.list("load_balancers")[0]?.id, server: await server() };
  const { code, text } = await stack.up("--config", "controlPlane.count=3");
  expect(code, text).toBe(0);
  expect(targetNames()).toEqual([1, 2, 3].map((number) => `e2e-hetzner-control-plane-${number}`));
  expect({ id: api.list("load_balancers")[0]?.id, server: await server() }).toEqual(before);
  expect(await kubectl("get", "nodes", "-o", "name")).toContain("control-plane-3");
  expect(api.unknown).toEqual([]);
});

test("the state has the host key encrypted only", async () => {
  const { text } = await stack.pulumiQuietly("stack", "export");
  expect(text).toContain("kubewright:local:HostKey");
  expect(text).not.toContain("OPENSSH PRIVATE KEY");
});

test("npm run down deletes all servers, load balancers, networks, firewalls, groups and keys", async () => {
  const { code, text } = await stack.down();
  expect(code, text).toBe(0);
  expect(
    ["servers", "load_balancers", "networks", "firewalls", "placement_groups", "ssh_keys"].map(
      (kind) => api.list(kind).length,
    ),
  ).toEqual([0, 0, 0, 0, 0, 0]);
});

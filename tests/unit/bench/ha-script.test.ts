import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { runHa } from "../../bench/ha";
import type { Measured } from "../../bench/measure";
import { readMeasured } from "../../bench/shell";

const NAMES = ["control-plane-1", "control-plane-2", "control-plane-3", "worker-1", "worker-2"];
const MACHINES = NAMES.map((name, index) => ({ name, address: `10.0.0.1${index}`, hostKey: "" }));

/** Records its arguments in `calls`, and configurations from stdin in files with the machine's address. */
const SSH = `#!/bin/bash
echo "$*" >> FOLDER/calls
address=$(grep -o 'root@[^ ]*' <<< "$*"); address=\${address#root@}
case "$*" in
  *"-O exit"*) exit 0 ;;
  *"cat /etc/kubernetes/admin.conf") echo "server: https://api.bench.internal:7443"; exit 0 ;;
  *"kubeadm init"*) cat > FOLDER/$address.init ;;
  *"kubeadm join"*)
    cat > FOLDER/$address.join
    sleep \${JOIN_SECONDS:-0}
    [ "$address" != "$FAILING" ] || { echo "no etcd"; exit 3; }
    ;;
  *haproxy.cfg*) cat > FOLDER/$address.balancer ;;
  *) cat > /dev/null ;;
esac
`;
const KUBECTL = `#!/bin/bash
case "$*" in
  *"config view"*) base64 -w 0 FOLDER/ca.crt ;;
  *jws-kubeconfig-*) echo signature ;;
  "get nodes"*) for node in ${NAMES.join(" ")}; do echo "$node \${STATE:-Ready} role"; done ;;
  apply*) cat > FOLDER/flannel ;;
esac
`;
const INIT = `token: @TOKEN@
localAPIEndpoint: {advertiseAddress: @IP@, bindPort: 6443}
---
clusterName: lab
controlPlaneEndpoint: @IP@:6443
extraArgs: @KCMARGS@
`;
const JOIN = "apiServerEndpoint: @CPIP@:6443\ntoken: @TOKEN@\ncaCertHashes: [@HASH@]\nname: @NAME@\n";

vi.setConfig({ testTimeout: 60_000 }); // the script starts many processes

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-ha-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  ["bin", "build", "files"].forEach((name) => mkdirSync(join(folder, name)));
  ["node", "cp", "worker", "kubectl"].forEach((name) => writeFileSync(join(folder, "build", `${name}.tar`), name));
  writeFileSync(join(folder, "node-install.sh"), "");
  writeFileSync(join(folder, "files", "kubeadm-init.yaml"), INIT);
  writeFileSync(join(folder, "files", "kubeadm-join.yaml"), JOIN);
  writeFileSync(join(folder, "files", "flannel.yaml"), 'host: "@CPIP@"\nport: {value: "6443"}\nnft: @NFT@\n');
  for (const [name, text] of Object.entries({ ssh: SSH, kubectl: KUBECTL })) {
    writeFileSync(join(folder, "bin", name), text.replaceAll("FOLDER", folder));
    chmodSync(join(folder, "bin", name), 0o755);
  }
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "/dev/null"];
  const certificate = ["-x509", "-subj", "/CN=kubernetes", "-out", join(folder, "ca.crt")];
  spawnSync("openssl", ["req", ...key, ...certificate]);
});

const read = (name: string) => readFileSync(join(folder, name), "utf8");
const create = async (env: Record<string, string> = {}) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  return await runHa(folder, MACHINES, folder).finally(() => vi.unstubAllEnvs());
};
const joins = ({ steps }: Measured) =>
  steps
    .filter(({ node, step }) => step === "join" && node.startsWith("control-plane"))
    .sort((one, other) => one.start - other.start);

test("the first control plane is initialized, and the others join with its certificates", async () => {
  const measured = await create();
  const init = read("10.0.0.10.init");
  const key = /^certificateKey: ([0-9a-f]{64})$/m.exec(init)?.[1] ?? "no key";
  const token = /^token: ([0-9a-f]{6}\.[0-9a-f]{16})$/m.exec(init)?.[1] ?? "no token";
  expect(init).toContain("controlPlaneEndpoint: api.bench.internal:7443");
  expect(init).toContain("localAPIEndpoint: {advertiseAddress: 10.0.0.10, bindPort: 6443}");
  const der = execFileSync("bash", [
    "-c",
    `openssl x509 -in ${join(folder, "ca.crt")} -pubkey -noout | openssl pkey -pubin -outform der | sha256sum`,
  ]);
  const worker =
    "apiServerEndpoint: api.bench.internal:7443\n" +
    `token: ${token}\ncaCertHashes: [sha256:${der.toString().slice(0, 64)}]\nname: worker-1\n`;
  expect(read("10.0.0.13.join")).toBe(worker);
  expect(read("10.0.0.11.join")).toBe(
    worker.replace("worker-1", "control-plane-2") +
      `controlPlane: {certificateKey: ${key}, localAPIEndpoint: {advertiseAddress: 10.0.0.11}}\n`,
  );
  const initialized = measured.steps.find(({ step }) => step === "init")?.end ?? Infinity;
  expect(measured.steps.filter(({ step, start }) => step === "join" && start >= initialized)).toHaveLength(4);
  expect(measured.seconds).toBeGreaterThan(initialized);
  // Secrets are in no command line.
  expect(read("calls")).not.toContain(key);
  expect(read("calls")).not.toContain(token.slice(7));
});

test("every node reaches all control planes through its own balancer", async () => {
  await create();
  const servers = ["10", "11", "12"].map((end, index) => `    server control-plane-${index + 1} 10.0.0.${end}:6443`);
  for (const { address } of MACHINES) {
    expect(read(`${address}.balancer`).trimEnd().split("\n").slice(-3)).toEqual(servers);
  }
  expect(read("flannel")).toBe('host: "api.bench.internal"\nport: {value: "7443"}\nnft: true\n');
  expect(read("ha/admin.conf")).toBe("server: https://10.0.0.10:6443\n");
});

test("control planes join in parallel, or in turn", async () => {
  const [one, other] = joins(await create({ JOIN_SECONDS: "1" }));
  expect(other?.start).toBeLessThan(one?.end ?? 0);
  const [first, second] = joins(await create({ JOIN_SECONDS: "0.1", JOINS: "turn" }));
  expect(second?.start).toBeGreaterThanOrEqual(first?.end ?? Infinity);
});

test("waiting for others is no part of the critical path", () => {
  const times = ["a\tcopy\t0\t1", "a\twait-init\t1\t5", "b\tinit\t0\t5", "a\tjoin\t5\t7"];
  writeFileSync(join(folder, "steps.tsv"), `${times.map((line) => `${line}\t0`).join("\n")}\n`);
  writeFileSync(join(folder, "total"), "7.10\n");
  const { seconds, steps, critical } = readMeasured(folder);
  expect(seconds).toBe(7.1);
  expect(steps).toHaveLength(4);
  expect(critical.map(({ step }) => step)).toEqual(["init", "join"]);
});

test("a machine that does not join fails the script, which closes its connections", async () => {
  await expect(create({ FAILING: "10.0.0.14" })).rejects.toThrow(/worker-2: join failed with exit code 3 \| no etcd/);
  expect(existsSync(join(folder, "ha", "total"))).toBe(false);
  expect(read("calls").match(/-O exit/g)).toHaveLength(5);
});

test("a node that is not Ready at the end fails the script", async () => {
  await expect(create({ STATE: "NotReady" })).rejects.toThrow("ha.sh failed");
});

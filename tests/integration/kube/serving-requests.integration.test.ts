import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { loadVersions, obtainArtifacts } from "../../../artifacts";
import { run as runProcess } from "../../../common/process";
import { silent } from "../../../common/progress";
import { controllerArch } from "../../../components/machines/machine";
import { approveServingRequests } from "../../../provider/kubelet/serving-requests";
import { APPROVER_SCRIPT, approverFiles, ROSTER } from "../../../render/kubelet-serving";
import { ApiServer } from "../../support/apiserver";
import { pemOf } from "../../support/serving-requests";

const NODE = { name: "worker-1", addresses: ["10.0.0.12"] };
const folder = mkdtempSync(join(tmpdir(), "kubelet-serving-"));
const kubeconfig = join(folder, "admin.conf");
let server: ApiServer;
let path: string;

beforeAll(async () => {
  server = await ApiServer.start();
  writeFileSync(kubeconfig, server.api.config.exportConfig(), { mode: 0o600 });
  const { binaries } = await obtainArtifacts(
    { source: "auto", kubernetes: loadVersions().kubernetes.default, arch: controllerArch() },
    silent,
    new AbortController().signal,
  );
  path = [dirname(binaries.kubectl.path), process.env.PATH].join(delimiter);
  // The API server creates its roles after it has started.
  for (const role of ["system:node", "system:discovery"])
    await kubectl("wait", "--for=create", `clusterrole/${role}`, "--timeout=30s");
  await kubectl("wait", "--for=create", "clusterrolebinding/system:discovery", "--timeout=30s");
  await kubectl("create", "clusterrolebinding", "nodes", "--clusterrole=system:node", "--group=system:nodes");
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => void (await kubectl("delete", "csr", "--all")));

async function run(command: string, args: string[], input = ""): Promise<string> {
  const { stdout } = await runProcess(command, args, { input, env: { PATH: path, KUBECONFIG: kubeconfig } });
  return String(stdout);
}
const kubectl = (...args: string[]) => run("kubectl", args);

interface Sent {
  pem: string;
  user?: string;
  usages?: string[];
}

/** Creates a request as a node's kubelet does, with its own user. */
async function send(name: string, { pem, user = "system:node:worker-1", usages }: Sent): Promise<void> {
  const request = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec: {
      request: Buffer.from(pem).toString("base64"),
      signerName: "kubernetes.io/kubelet-serving",
      usages: usages ?? ["digital signature", "server auth"],
    },
  };
  const sender = ["--as", user, "--as-group", "system:nodes", "--as-group", "system:authenticated"];
  await run("kubectl", ["create", "-f", "-", ...sender], JSON.stringify(request));
}

async function sendAll(): Promise<void> {
  await send("a-stranger", { pem: pemOf("strangerAddress") });
  await send("before-another", { pem: pemOf("own") + pemOf("otherNode") });
  await send("client", { pem: pemOf("own"), usages: ["digital signature", "client auth"] });
  await send("other-sender", { pem: pemOf("own"), user: "system:node:worker-2" });
  await send("own", { pem: pemOf("own") });
}

async function approved(): Promise<string> {
  const template = "{{range .items}}{{if .status.conditions}}{{.metadata.name}} {{end}}{{end}}";
  return await kubectl("get", "csr", "-o", `go-template=${template}`);
}

/** Runs the timer's script. @returns what it prints */
async function runScript(...args: string[]): Promise<string> {
  const files = approverFiles([NODE]);
  writeFileSync(join(folder, "roster"), files[ROSTER]?.content ?? "");
  const script = (files[APPROVER_SCRIPT]?.content ?? "")
    .replaceAll(ROSTER, join(folder, "roster"))
    .replaceAll("/run/", `${folder}/`)
    .replaceAll("/etc/kubernetes/admin.conf", kubeconfig);
  return await run("sh", ["-c", script, "approve", ...args]);
}

test("the timer's script approves only what the node's kubelet has sent", async () => {
  expect(await runScript("check")).toBe("");
  await sendAll();
  const output = await runScript();
  expect(await approved()).toBe("own ");
  for (const name of ["a-stranger", "before-another", "client", "other-sender"])
    expect(output).toContain(`<4>${name} is not approved: `);
  expect(await runScript()).toBe("");
});

test("the provider approves only what the node's kubelet has sent", async () => {
  await sendAll();
  const refused = await approveServingRequests(server.api, NODE, new AbortController().signal);
  expect(await approved()).toBe("own ");
  expect(refused.map(({ name }) => name)).toEqual(["a-stranger", "before-another", "client"]);
});

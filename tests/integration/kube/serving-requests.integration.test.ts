import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { approveServingRequests } from "../../../provider/kubelet/serving-requests";
import { APPROVER_SCRIPT, approverFiles, ROSTER } from "../../../render/kubelet-serving";
import { ApiServer } from "../../support/apiserver";
import { pemOf } from "../../support/serving-requests";

const NODE = { name: "worker-1", addresses: ["10.0.0.12"] };
let server: ApiServer;

beforeAll(async () => {
  server = await ApiServer.start();
  // The API server creates its roles after it has started.
  for (const role of ["system:node", "system:discovery"])
    await kubectl("wait", "--for=create", `clusterrole/${role}`, "--timeout=30s");
  await kubectl("wait", "--for=create", "clusterrolebinding/system:discovery", "--timeout=30s");
  await kubectl("create", "clusterrolebinding", "nodes", "--clusterrole=system:node", "--group=system:nodes");
});
afterAll(async () => await server?.stop());
afterEach(async () => void (await kubectl("delete", "csr", "--all")));

const kubectl = (...args: string[]) => server.run("kubectl", args);

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
  await server.run("kubectl", ["create", "-f", "-", ...sender], JSON.stringify(request));
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
  const roster = join(server.folder, "roster");
  writeFileSync(roster, files[ROSTER]?.content ?? "");
  const script = (files[APPROVER_SCRIPT]?.content ?? "")
    .replaceAll(ROSTER, roster)
    .replaceAll("/run/", `${server.folder}/`)
    .replaceAll("/etc/kubernetes/admin.conf", server.kubeconfig);
  return await server.run("sh", ["-c", script, "approve", ...args]);
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

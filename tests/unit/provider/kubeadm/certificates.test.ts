import "reflect-metadata";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseCertificates, readCertificates } from "../../../../provider/kubeadm/certificates";
import { createAuthority, createCertificate, type Identity } from "../../../../provider/pki/x509";
import { MemoryMachine } from "../../../support/memory-machine";

const DAY_MS = 86_400_000;
let authority: Identity;
let client: Identity;
let root: string;

beforeAll(async () => {
  authority = await createAuthority("kubernetes", 3650);
  client = await createCertificate(authority, { commonName: "admin", usages: ["client"], days: 20 });
  root = mkdtempSync(join(tmpdir(), "certificates-"));
});
afterAll(() => rmSync(root, { recursive: true }));

const encode = (text: string) => Buffer.from(text).toString("base64");
const dataOf = ({ certificate, key }: Identity) => ({ certificate: encode(certificate), key: encode(key) });
function kubeconfig(): string {
  const { certificate, key } = dataOf(client);
  return `users:\n- user:\n    client-certificate-data: ${certificate}\n    client-key-data: ${key}\n`;
}

/** Runs the script on files below a folder of the test, with the shell of this computer. */
async function readFrom(files: Record<string, string>) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const machine = new MemoryMachine();
  let stdout = "";
  const inRoot = (script: string) => script.replaceAll("/etc/", `${root}/etc/`).replaceAll("/var/", `${root}/var/`);
  machine.on(
    /./,
    (script) =>
      (stdout = execFileSync("sh", ["-c", inRoot(script)])
        .toString()
        .replaceAll(root, "")),
  );
  const context = machine.context();
  const certificates = await readCertificates(context.connections.get(machine.connection), context.signal);
  return { certificates, stdout };
}

test("reads the PKI, kubeconfigs and the kubelet's certificates, and no private key leaves the machine", async () => {
  const { certificates, stdout } = await readFrom({
    "/etc/kubernetes/pki/etcd/ca.crt": authority.certificate + client.certificate,
    "/etc/kubernetes/pki/ca.key": authority.key,
    "/etc/kubernetes/admin.conf": kubeconfig(),
    "/etc/kubernetes/scheduler.conf": "no certificate inside",
    "/var/lib/kubelet/pki/kubelet-client-current.pem": client.certificate + client.key,
    "/var/lib/kubelet/pki/kubelet.crt": client.certificate + authority.certificate,
  });
  const rows = certificates.map(({ node, name, kind, left }) => [node, name, kind, Math.round(left / DAY_MS)]);
  expect(rows).toEqual([
    ["worker-1", "etcd/ca", "authority", 3650],
    ["worker-1", "etcd/ca (2)", "leaf", 20],
    ["worker-1", "kubelet client", "rotated", 20],
    ["worker-1", "kubelet serving", "self-signed", 20],
    ["worker-1", "admin.conf", "leaf", 20],
  ]);
  expect(stdout).not.toContain("PRIVATE KEY");
  expect(stdout).not.toContain(encode(client.key));
});

test.each([
  ["rotated", "the cluster's CA signs it", { "10-kubewright.conf": '"serverTLSBootstrap": true' }],
  ["rotated", "kubeadm's configuration asks for it", { config: "serverTLSBootstrap: true" }],
  ["self-signed", "the kubelet signs it itself again", { "10-kubewright.conf": "serverTLSBootstrap: false" }],
])(
  "of two serving certificates, only the %s one counts where %s",
  async (kind, _, settings: Record<string, string>) => {
    rmSync(root, { recursive: true });
    const { "10-kubewright.conf": dropIn = "", config = "" } = settings;
    const { certificates } = await readFrom({
      "/etc/kubernetes/kubelet.conf.d/10-kubewright.conf": `${dropIn}\n`,
      "/var/lib/kubelet/config.yaml": `${config}\n`,
      "/var/lib/kubelet/pki/kubelet-server-current.pem": client.certificate + client.key,
      "/var/lib/kubelet/pki/kubelet.crt": client.certificate,
    });
    expect(certificates.map(({ name, kind }) => [name, kind])).toEqual([["kubelet serving", kind]]);
  },
);

test("without the one that it is configured for, the other serving certificate is shown", async () => {
  rmSync(root, { recursive: true });
  const { certificates } = await readFrom({ "/var/lib/kubelet/pki/kubelet-server-current.pem": client.certificate });
  expect(certificates.map(({ kind }) => kind)).toEqual(["rotated"]);
});

test("the time left is counted by the machine's clock", () => {
  const path = "file /etc/kubernetes/pki/apiserver.crt\n";
  const now = Math.floor(Date.now() / 1000) + 30 * 86_400;
  const [certificate] = parseCertificates(`now ${now}\n${path}${client.certificate}`);
  expect(Math.round((certificate?.left ?? 0) / DAY_MS)).toBe(-10);
});

test("a damaged certificate is skipped", () => {
  const damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  expect(parseCertificates(`now 1\nfile /etc/kubernetes/pki/ca.crt\n${damaged}`)).toEqual([]);
});

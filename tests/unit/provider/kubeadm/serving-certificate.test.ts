import "reflect-metadata";
import { connect } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ensureServingCertificate } from "../../../../provider/kubeadm/serving-certificate";
import { createAuthority, createCertificate, type Identity } from "../../../../provider/pki/x509";
import type { Remote } from "../../../../provider/ssh/remote";
import { MemoryMachine } from "../../../support/memory-machine";

const PATHS = ["crt", "key"].map((suffix) => `/etc/kubernetes/pki/apiserver.${suffix}`);
let ca: Identity;
let previous: Identity;
let renewed: Identity;
beforeAll(async () => {
  ca = await createAuthority("kubernetes", 10);
  const issue = (dnsNames: string[]) =>
    createCertificate(ca, { commonName: "kube-apiserver", usages: ["server"], days: 10, dnsNames });
  previous = await issue(["kubernetes"]);
  renewed = await issue(["kubernetes", "api.dev.internal"]);
});

/** A machine whose kubeadm issues `renewed`, and whose API server presents what `served` returns. */
class ApiServerMachine extends MemoryMachine {
  patience = 0.01;
  served = () => this.pair();
  private kept = previous;
  readonly server: Server;

  constructor() {
    super();
    this.write(previous);
    this.on(/kubeadm init phase certs apiserver/, () => this.write(renewed));
    this.on(/previous\/\$file \]/, (script) =>
      script.includes("kubeadm") ? this.write(renewed) : this.write(this.kept),
    );
    this.server = createServer({}, (socket: TLSSocket) => socket.resume());
  }

  async listen(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
  }

  forward(): Promise<unknown> {
    const { certificate, key } = this.served();
    this.server.setSecureContext({ cert: certificate, key });
    return Promise.resolve(connect((this.server.address() as { port: number }).port, "127.0.0.1"));
  }

  pair(): Identity {
    const [certificate = "", key = ""] = PATHS.map((path) => this.files.get(path)?.content);
    return { certificate, key };
  }

  private write({ certificate, key }: Identity): string {
    const contents = [certificate, key];
    PATHS.forEach((path, index) => this.files.set(path, { content: contents[index] ?? "", mode: "0600" }));
    return "";
  }
}

let machine: ApiServerMachine;
beforeEach(async () => {
  machine = new ApiServerMachine();
  await machine.listen();
});
afterEach(() => void machine.server.close());

const ensure = (names: string[]) =>
  ensureServingCertificate(machine.context(), machine as unknown as Remote, [
    { kind: "ClusterConfiguration", apiServer: { certSANs: names } } as never,
  ]);

test("a certificate with all names stays as it is", async () => {
  expect(await ensure(["kubernetes"])).toBe(false);
  expect(machine.pair()).toMatchObject({ certificate: previous.certificate });
});

test("a name that the certificate lacks is issued beside the old one, and must be served", async () => {
  expect(await ensure(["kubernetes", "API.dev.internal"])).toBe(true);
  expect(machine.pair()).toMatchObject({ certificate: renewed.certificate });
  const script = machine.scripts.find((one) => one.includes("kubeadm"));
  expect(script).toMatch(
    /--config \/etc\/kubernetes\/tmp\/\S+\/kubeadm.yaml[^]*mv -fT \S+\/apiserver\.crt \/etc\/kubernetes\/pki/,
  );
});

test("the previous certificate is restored when the API server does not serve the new one", async () => {
  machine.served = () => previous;
  await expect(ensure(["api.dev.internal"])).rejects.toThrow(
    /still serves the previous certificate .*the previous certificate was restored/,
  );
  expect(machine.pair()).toMatchObject({ certificate: previous.certificate });
});

test("the previous certificate is restored when kubeadm issues one without the name", async () => {
  await expect(ensure(["other.internal"])).rejects.toThrow("the new certificate lacks other.internal");
  expect(machine.pair()).toMatchObject({ certificate: previous.certificate });
});

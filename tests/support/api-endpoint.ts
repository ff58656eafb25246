import { createServer, type Server } from "node:https";
import { connect, type AddressInfo, type Socket } from "node:net";
import { createAuthority, createCertificate, type Identity } from "../../provider/pki/x509";
import { ScriptedMachine } from "./scripted-machine";

/** A control plane with an admin.conf and an API server that answers /readyz and lists one namespace. */
export class ControlPlane extends ScriptedMachine {
  readonly paths: string[] = [];
  readyz = 200;
  /** Streams that were opened through the machine, as `host:port`. */
  readonly forwarded: string[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly name: string,
    readonly authority: Identity,
    private readonly server: Server,
    adminConf: string,
  ) {
    super((script) => (script.startsWith("cat /etc/kubernetes/admin.conf") ? { stdout: adminConf } : {}), name);
  }

  static async start(name: string, authority?: Identity): Promise<ControlPlane> {
    const ca = authority ?? (await createAuthority("kubernetes", 10));
    const server = await createCertificate(ca, {
      commonName: "kube-apiserver",
      usages: ["server"],
      dnsNames: ["kubernetes"],
      days: 1,
    });
    const admin = await createCertificate(ca, { commonName: "admin", usages: ["client"], days: 1 });
    const https = createServer({
      key: server.key,
      cert: `${server.certificate}\n${ca.certificate}`,
      ca: ca.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    });
    await new Promise<void>((resolve) => https.listen(0, "127.0.0.1", resolve));
    const machine = new ControlPlane(name, ca, https, adminConfOf(ca, admin));
    https.on("request", ({ url = "", socket }, response) => {
      machine.paths.push(url);
      const isAdmin = (socket as unknown as { authorized: boolean }).authorized;
      response.statusCode = !isAdmin ? 401 : url === "/readyz" ? machine.readyz : 200;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ kind: "NamespaceList", apiVersion: "v1", items: [{ metadata: { name } }] }));
    });
    return machine;
  }

  /** Serves another certificate from now on. */
  certify({ key, certificate }: Identity): void {
    this.server.setSecureContext({ key, cert: certificate });
  }

  async machineId(): Promise<string> {
    return `id-of-${this.name}`;
  }

  async forward(host: string, port: number): Promise<Socket> {
    this.forwarded.push(`${host}:${port}`);
    const socket = connect((this.server.address() as AddressInfo).port, "127.0.0.1");
    this.sockets.add(socket);
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return socket;
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

function adminConfOf(ca: Identity, { certificate, key }: Identity): string {
  const encode = (text: string) => Buffer.from(text).toString("base64");
  const cluster = { server: "https://10.0.0.1:6443", "certificate-authority-data": encode(ca.certificate) };
  const user = { "client-certificate-data": encode(certificate), "client-key-data": encode(key) };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
  });
}

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { loadVersions, obtainArtifacts } from "../../artifacts";
import { run } from "../../common/process";
import { silent } from "../../common/progress";
import { until } from "../../common/wait";
import { controllerArch } from "../../components/machines/machine";
import { kubeApiFromFile, type KubeApi } from "../../provider/kube/api";

const START_SECONDS = 60;

/** A real etcd and kube-apiserver on loopback, without a kubelet or controllers: a test does what those would do. */
export class ApiServer {
  private constructor(
    readonly api: KubeApi,
    /** Address of etcd, which answers without certificates. */
    readonly etcd: string,
    /** Its own files. Tests may put others beside them: `stop` removes the folder. */
    readonly folder: string,
    private readonly kubectl: string,
    private readonly children: ChildProcess[],
  ) {}

  /** @param flags further flags of kube-apiserver */
  static async start(flags: readonly string[] = []): Promise<ApiServer> {
    const kubernetes = loadVersions().kubernetes.default;
    const { binaries } = await obtainArtifacts(
      { source: "auto", kubernetes, arch: controllerArch() },
      silent,
      new AbortController().signal,
    );
    const apiserver = binaries["kube-apiserver"];
    if (!apiserver) throw new Error("this source of artifacts has kube-apiserver only as an image");
    const folder = await mkdtemp(join(tmpdir(), "kubewright-apiserver-"));
    const [client, peer, port] = await Promise.all([freePort(), freePort(), freePort()]);
    const etcd = launch(binaries.etcd.path, etcdFlags(folder, client, peer), join(folder, "etcd.log"));
    const server = launch(
      apiserver.path,
      [...(await serverFlags(folder, client, port)), ...flags],
      join(folder, "apiserver.log"),
    );
    const api = await kubeApiFromFile(await kubeconfig(folder, port));
    await until(async () => await answers(api, folder, server), {
      signal: new AbortController().signal,
      timeout: START_SECONDS,
      onTimeout: () => new Error(`kube-apiserver did not start within ${START_SECONDS} s; see ${folder}`),
    });
    return new ApiServer(api, `http://127.0.0.1:${client}`, folder, binaries.kubectl.path, [server, etcd]);
  }

  /** Requests a path that is no resource, such as `/metrics`. */
  async readText(path: string): Promise<string> {
    const server = this.api.config.getCurrentCluster()?.server ?? "";
    const authorization = "authorization: Bearer test-token";
    return execFileSync("curl", ["-skf", "-H", authorization, `${server}${path}`], { maxBuffer: 1 << 26 }).toString();
  }

  /** Kubeconfig of the administrator, without secrets of a real cluster. */
  get kubeconfig(): string {
    return join(this.folder, "kubeconfig");
  }

  /** Runs a command that finds kubectl and the kubeconfig. @returns what it prints */
  async run(command: string, args: string[], input = ""): Promise<string> {
    const path = [dirname(this.kubectl), process.env.PATH].join(delimiter);
    const { stdout } = await run(command, args, { input, env: { PATH: path, KUBECONFIG: this.kubeconfig } });
    return String(stdout);
  }

  async stop(): Promise<void> {
    for (const child of this.children) {
      const ended = new Promise((done) => child.once("exit", done));
      if (child.exitCode === null && child.kill("SIGKILL")) await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function answers(api: KubeApi, folder: string, server: ChildProcess): Promise<true | undefined> {
  if (server.exitCode !== null)
    throw new Error(`kube-apiserver ended:\n${(await readFile(join(folder, "apiserver.log"), "utf8")).slice(-1500)}`);
  return await api.core.readNamespace({ name: "kube-system" }).then(
    () => true as const,
    () => undefined,
  );
}

function launch(file: string, flags: readonly string[], log: string): ChildProcess {
  const out = openSync(log, "a");
  return spawn(file, flags, { stdio: ["ignore", out, out] });
}

function etcdFlags(folder: string, client: number, peer: number): string[] {
  const url = (port: number) => `http://127.0.0.1:${port}`;
  return [
    `--data-dir=${folder}/etcd`,
    "--unsafe-no-fsync",
    `--listen-client-urls=${url(client)}`,
    `--advertise-client-urls=${url(client)}`,
    `--listen-peer-urls=${url(peer)}`,
    `--initial-advertise-peer-urls=${url(peer)}`,
    `--initial-cluster=default=${url(peer)}`,
  ];
}

/** Disables admission plugins that require service accounts, because no controller creates them. */
async function serverFlags(folder: string, etcd: number, port: number): Promise<string[]> {
  execFileSync("openssl", ["genrsa", "-out", join(folder, "sa.key"), "2048"], { stdio: "ignore" });
  await writeFile(join(folder, "tokens.csv"), "test-token,admin,admin,system:masters\n", { mode: 0o600 });
  return [
    `--etcd-servers=http://127.0.0.1:${etcd}`,
    `--secure-port=${port}`,
    "--bind-address=127.0.0.1",
    `--cert-dir=${folder}/certs`,
    `--token-auth-file=${folder}/tokens.csv`,
    "--authorization-mode=RBAC",
    "--service-cluster-ip-range=10.0.0.0/24",
    "--service-account-issuer=https://test",
    `--service-account-key-file=${folder}/sa.key`,
    `--service-account-signing-key-file=${folder}/sa.key`,
    "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition,DefaultTolerationSeconds",
    "--watch-cache=true",
  ];
}

async function kubeconfig(folder: string, port: number): Promise<string> {
  const path = join(folder, "kubeconfig");
  const text = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "t",
    clusters: [{ name: "t", cluster: { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "t", user: { token: "test-token" } }],
    contexts: [{ name: "t", context: { cluster: "t", user: "t" } }],
  };
  await writeFile(path, JSON.stringify(text), { mode: 0o600 });
  return path;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ResultPromise } from "execa" with { "resolution-mode": "import" };
import { Cache, fileOf } from "../../artifacts/cache";
import { buildModule } from "../../artifacts/controller-tools";
import { start, tryCommand } from "../../common/process";
import { until } from "../../common/wait";
import { createAuthority, createCertificate } from "../../provider/pki/x509";
import { freePort } from "./sshd";

/** A server of S3 that stores objects as files, under the Apache License 2.0. Its build takes minutes, once. */
const MODULE = {
  path: "github.com/versity/versitygw",
  version: "v1.8.0",
  sum: "h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc=",
  packages: { versitygw: "github.com/versity/versitygw/cmd/versitygw" },
  ...{ cgo: false, tags: [], ldflags: "" },
};

export const ACCESS = { accessKeyId: "id-of-the-suite", secretAccessKey: "secret-of-the-suite" };

/** A real server of S3 on this computer, with TLS and an authority of its own. */
export class S3Server {
  private constructor(
    readonly url: string,
    /** File with the certificate of its authority. */
    readonly caFile: string,
    private readonly process: ResultPromise,
  ) {}

  static async start(folder: string): Promise<S3Server> {
    const signal = AbortSignal.timeout(1_200_000);
    const key = `versitygw-${MODULE.version}`;
    const progress = (message: string) => void process.stdout.write(`    s3 │ ${message}\n`);
    const fill = (target: string) => buildModule(MODULE, target, progress, signal);
    const entry = await new Cache().obtain({ key, label: key, progress, signal, fill });
    const { caFile, arguments: tls } = await writeCertificates(folder);
    const port = await freePort();
    for (const name of ["data", "sidecar"]) mkdirSync(join(folder, name));
    const { child } = await start(
      fileOf(entry, "versitygw").path,
      ["--port", `127.0.0.1:${port}`, ...tls, "posix", "--sidecar", join(folder, "sidecar"), join(folder, "data")],
      { env: { ROOT_ACCESS_KEY: ACCESS.accessKeyId, ROOT_SECRET_KEY: ACCESS.secretAccessKey }, reject: false },
    );
    const server = new S3Server(`https://127.0.0.1:${port}`, caFile, child);
    await server.waitForAnswer();
    return server;
  }

  async stop(): Promise<void> {
    this.process.kill();
    await this.process;
  }

  private async waitForAnswer(): Promise<void> {
    const signal = AbortSignal.timeout(30_000);
    const ask = async () => {
      const args = ["--silent", "--cacert", this.caFile, "--output", "/dev/null", this.url];
      const { code } = await tryCommand("curl", args, { step: "asking the S3 server", signal });
      return code === 0 ? true : undefined;
    };
    await until(ask, { signal, timeout: 30, every: 200, onTimeout: () => new Error("the S3 server does not answer") });
  }
}

/** The names must differ: a certificate with the name of its authority counts as self-signed. */
async function writeCertificates(folder: string): Promise<{ caFile: string; arguments: string[] }> {
  const authority = await createAuthority("authority of s3", 1);
  const server = await createCertificate(authority, {
    ...{ commonName: "s3", ipAddresses: ["127.0.0.1"], usages: ["server"], days: 1 },
  });
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const [certificate, key] = [write("server.crt", server.certificate), write("server.key", server.key)];
  return { caFile: write("ca.crt", authority.certificate), arguments: ["--cert", certificate, "--key", key] };
}

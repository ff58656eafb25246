import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ResultPromise } from "execa" with { "resolution-mode": "import" };
import { run, start, tryCommand } from "../../common/process";
import { until } from "../../common/wait";
import { requirement, type Requirement } from "./requirement";
import { freePort } from "./sshd";

const ROOT = "/usr/lib/postgresql";

/** Folder of the programs of the newest PostgreSQL that Debian's package has installed. */
function programs(): string | undefined {
  const versions = existsSync(ROOT) ? readdirSync(ROOT).sort((one, other) => Number(one) - Number(other)) : [];
  const folders = versions.map((version) => join(ROOT, version, "bin"));
  return folders.reverse().find((folder) => existsSync(join(folder, "initdb")));
}

export async function postgresRequirement(): Promise<Requirement> {
  return await requirement("PostgreSQL", () => programs() !== undefined, ["postgresql", "util-linux"]);
}

/** A real PostgreSQL on a port of this computer, with a data folder of its own. It refuses to run as root. */
export class Postgres {
  private constructor(
    /** URL of the database, as Pulumi's backend. */
    readonly url: string,
    private readonly folder: string,
    private readonly process: ResultPromise,
    private readonly bin: string,
  ) {}

  static async start(): Promise<Postgres> {
    const bin = programs() ?? "";
    const folder = mkdtempSync("/tmp/kubewright-postgres-");
    const port = String(await freePort());
    await run("chown", ["postgres", folder]);
    const data = join(folder, "data");
    const asPostgres = ["-u", "postgres", "--"];
    await run("runuser", [...asPostgres, join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust"], {
      cwd: "/",
    });
    const options = ["-D", data, "-k", folder, "-h", "127.0.0.1", "-p", port, "-c", "fsync=off"];
    const { child } = await start("runuser", [...asPostgres, join(bin, "postgres"), ...options], {
      cwd: "/",
      reject: false,
    });
    const server = new Postgres(`postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`, folder, child, bin);
    await server.waitForAnswer(join(bin, "pg_isready"), port);
    return server;
  }

  async stop(): Promise<void> {
    // A fast shutdown closes connections. A signal to runuser does not reach the server.
    const stop = [join(this.bin, "pg_ctl"), "stop", "--mode=fast", "-D", join(this.folder, "data")];
    await run("runuser", ["-u", "postgres", "--", ...stop], { cwd: "/" });
    await this.process;
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async waitForAnswer(program: string, port: string): Promise<void> {
    const signal = AbortSignal.timeout(30_000);
    const ask = async () => {
      const { code } = await tryCommand(program, ["-h", "127.0.0.1", "-p", port], {
        step: "asking PostgreSQL",
        signal,
      });
      return code === 0 ? true : undefined;
    };
    await until(ask, { signal, timeout: 30, every: 200, onTimeout: () => new Error("PostgreSQL does not answer") });
  }
}

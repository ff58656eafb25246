import { chmodSync, createWriteStream, existsSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { projectRoot } from "../../common/project-root";
import { start } from "../../common/process";

/** A vendor's plugin that no registry has. In CI, it lies beside the repository. */
export class SharedPlugin {
  private readonly file: string;
  private readonly packed: string;

  /** @param vendor `hcloud`, `command` */
  constructor(vendor: string) {
    this.file = `pulumi-resource-${vendor}`;
    this.packed = join(projectRoot(), "..", "shared", "artifacts", `${this.file}.xz`);
  }

  /** Why the tests that require it are skipped; undefined if it exists. */
  get missing(): string | undefined {
    return existsSync(this.packed) ? undefined : `there is no ${this.packed}`;
  }

  /** @param folder a folder on PATH, where Pulumi looks before it downloads */
  async unpack(folder: string): Promise<void> {
    const path = join(folder, this.file);
    const { child } = await start("xz", ["-dkc", this.packed], { buffer: false });
    if (child.stdout) await pipeline(child.stdout, createWriteStream(path));
    await child;
    chmodSync(path, 0o755);
  }
}

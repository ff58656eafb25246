import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { loadVersions, type ArtifactSet } from "../../artifacts/index";
import { projectRoot } from "../../common/project-root";
import { tryCommand } from "../../common/process";

/** What a benchmark compares, so that two reports can be compared too. */
export interface BenchVersions {
  kubewright: string;
  /** Commit of Kubewright, with `-dirty` where files differ from it. */
  commit: string;
  pulumi: string;
  /** Name and beginning of the SHA-256 of each script. */
  scripts: string[];
  openssh: string;
  kubernetes: string;
  containerd: string;
  /** Images that both sides run. */
  images: string[];
}

/** Length of a shortened SHA-256: enough to tell two versions of a script apart. */
const HASH_LENGTH = 12;

export interface VersionsRequest {
  /** Version of Pulumi's engine. */
  pulumi: string;
  kubernetes: string;
  artifacts: ArtifactSet;
  /** Paths of the scripts. Those that do not exist are omitted: they do not run either. */
  scripts: readonly string[];
}

export async function readVersions(request: VersionsRequest, signal: AbortSignal): Promise<BenchVersions> {
  const { pulumi, kubernetes, artifacts, scripts } = request;
  const root = projectRoot();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const first = async (file: string, args: readonly string[]) => {
    const { code, stdout, stderr } = await tryCommand(file, args, { step: `run ${file}`, signal });
    return code === 0 ? (stdout || stderr).trim() : "unknown";
  };
  return {
    kubewright: version,
    commit: await first("git", ["-C", root, "describe", "--always", "--dirty"]),
    pulumi,
    scripts: scripts.filter((path) => existsSync(path)).map(scriptVersion),
    openssh: (await first("ssh", ["-V"])).split(",")[0] ?? "",
    kubernetes,
    containerd: loadVersions().components.containerd?.version ?? "unknown",
    images: [artifacts.refs.etcd, artifacts.refs.flannel, artifacts.refs.coredns].map((ref) => basename(ref)),
  };
}

function scriptVersion(path: string): string {
  const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
  return `${basename(path)} ${hash.slice(0, HASH_LENGTH)}`;
}

/** Renders the versions of both sides, and of what both of them install. */
export function renderVersions(versions: BenchVersions): string {
  const { kubewright, commit, pulumi, scripts, openssh, kubernetes, containerd, images } = versions;
  return [
    "",
    "Versions",
    `  Kubewright   ${kubewright} (commit ${commit}), Pulumi ${pulumi}`,
    `  scripts      ${[...scripts, openssh].join(", ")}`,
    `  both         Kubernetes ${kubernetes}, containerd ${containerd}, ${images.join(", ")}`,
    "",
  ].join("\n");
}

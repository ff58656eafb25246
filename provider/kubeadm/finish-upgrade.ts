import { StepError } from "../../common/errors";
import { yamlText } from "../../render/json";
import { kubeadmApi } from "../../render/kubeadm-types";
import { readContents } from "../host/files";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { CONFIG } from "./manifests";
import { extractCause } from "./run";
import { withPatience } from "./timeouts";

const STEP = "kubeadm upgrade";
const SECONDS = 120;

/**
 * Parts of `kubeadm upgrade apply` that concern the cluster: the kubelets' configuration, and the rights of joining
 * nodes and of the API server. 1.36, for example, lets the API server access kubelets by a binding of its own.
 */
const PHASES = ["upload-config kubelet", "bootstrap-token"];

/** Returns whether another version than this one was last applied to the control plane to its end. */
export async function isUpgradeUnfinished(machine: Remote, version: string, signal: AbortSignal): Promise<boolean> {
  const text = (await readContents(machine, [CONFIG], signal)).get(CONFIG) ?? "";
  const applied = /^kubernetesVersion: v?(\S+)$/m.exec(text)?.[1];
  return applied !== undefined && applied !== version;
}

/** Brings what kubeadm keeps in the cluster to the version of the control plane. May run again. */
export async function upgradeClusterObjects(context: Context, machine: Remote, version: string): Promise<void> {
  const apply = { kubernetesVersion: `v${version}` };
  const configuration = { apiVersion: kubeadmApi, kind: "UpgradeConfiguration", apply };
  const stdin = yamlText(withPatience(configuration, machine.patience));
  for (const phase of PHASES) {
    context.status(`kubeadm upgrade: ${phase}`);
    const lines: string[] = [];
    const { code } = await machine.run(`kubeadm upgrade apply phase ${phase} --config /dev/stdin 2>&1`, {
      step: STEP,
      signal: context.signal,
      timeout: SECONDS,
      stdin,
      onLine: (line) => void lines.push(line),
      accept: [0, 1],
    });
    if (code !== 0)
      throw new StepError({
        step: `${STEP} (${phase})`,
        machine: machine.label,
        cause: extractCause(lines),
        action: "its control plane runs the new version; fix the cause, then run `pulumi up` again",
      });
  }
}

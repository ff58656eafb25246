import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { STAGED_SUFFIX, type TextFiles } from "../../contracts/files";
import { KUBELET_CONFIGURATION } from "../../render/kubelet";
import { withoutRemovedFlags } from "../../render/removed-settings";
import { describeChangedFiles } from "../host/changed-lines";
import { readTextFiles, textFile, writeFiles } from "../host/files";
import { putBack } from "../host/put-back";
import { waitUntilUnitHealthy } from "../host/unit-health";
import { dropKeptFiles, keepFiles, restoreKeptFiles } from "../kubeadm/kept-files";
import { waitForNodeAfterOutage } from "../kubeadm/node-after-outage";
import { proveSamePods, readAllPods } from "../kubeadm/prove-components";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { proveNodeReported, wasReady, type KubeletNode } from "./node-reported";
import { userCommand } from "../../common/user-command";

const PROGRAM = "/usr/local/bin/kubelet";
const STAGED = `${PROGRAM}${STAGED_SUFFIX}`;
const FLAGS = "/var/lib/kubelet/kubeadm-flags.env";
const MODE = { content: "", mode: "0644" };
/** Files that kubeadm writes for a kubelet, besides the program. */
const SETTINGS: TextFiles = {
  [FLAGS]: MODE,
  [KUBELET_CONFIGURATION]: MODE,
  "/var/lib/kubelet/instance-config.yaml": MODE,
};
const FILES = [PROGRAM, ...Object.keys(SETTINGS)];
const UNIT = "kubelet.service";
const STEP = "replacing the kubelet";
const SECONDS = 120;

export type NewKubelet = KubeletNode & {
  /** Without the prefix `v`. */
  version: string;
  /** Whether kubeadm writes the kubelet's configuration. @default true */
  usesKubeadm?: boolean | undefined;
  /** Watches the cluster while the previous kubelet can still be put back. */
  soak?: (() => Promise<void>) | undefined;
};

/**
 * Puts the staged kubelet into place, with the configuration that kubeadm has for it, restarts it, and proves that the
 * node is Ready with the new version. Otherwise the previous kubelet is restored and proved healthy, and the change is
 * withdrawn from the state. Pods keep running, except the static pods of a control plane that gets another minor
 * version.
 * @throws StepError with the kubelet's last lines
 */
export async function replaceKubelet(context: Context, machine: Remote, kubelet: NewKubelet): Promise<void> {
  const { signal } = context;
  const folder = keptFolder(kubelet.version);
  await checkStaged(machine, kubelet.version, signal);
  const before = await readTextFiles(machine, SETTINGS, signal);
  const [mustBeReady, pods] = await Promise.all([
    wasReady(context, machine, kubelet),
    readAllPods(machine, kubelet.name, signal),
  ]);
  const prove = async (version?: string) => {
    await waitUntilUnitHealthy(context, machine, { unit: UNIT });
    await proveNodeReported(context, machine, { ...kubelet, version }, mustBeReady);
    await proveSamePods(context, machine, kubelet.name, pods);
  };
  await keepFiles(machine, FILES, signal, folder);
  try {
    if (kubelet.usesKubeadm !== false) await configure(context, machine, kubelet.version);
    context.status(`starting kubelet ${kubelet.version}`);
    await machine.run(START, { step: STEP, signal, timeout: SECONDS });
    await prove(kubelet.version);
    await kubelet.soak?.();
  } catch (error) {
    // The copies stay: the next run continues, and restores them if it fails.
    if (signal.aborted) throw error;
    const after = await readTextFiles(machine, SETTINGS, signal);
    const changes = [describeChangedFiles(before ?? {}, after ?? {}), `${PROGRAM} (${kubelet.version})`];
    const restored = await putBack(context, machine, {
      name: UNIT,
      error,
      changes: changes.filter(Boolean).join("\n"),
      restore: async () => {
        await machine.run(STAGE_AGAIN, { step: STEP, signal });
        await restoreKeptFiles(machine, FILES, signal, folder);
        await machine.run(RESTART, { step: STEP, signal, timeout: SECONDS });
        await prove();
        await dropKeptFiles(machine, signal, folder);
      },
      // The kubelet of another minor version has restarted the API server.
      settle: pods.size > 0 ? () => waitForNodeAfterOutage(context, machine) : undefined,
    });
    throw restored ?? error;
  }
  await dropKeptFiles(machine, signal, folder);
}

/** Returns whether an interrupted run began to replace the kubelet, and has not proved the new one healthy. */
export async function isReplacementUnfinished(machine: Remote, version: string, signal: AbortSignal): Promise<boolean> {
  const script = `[ ! -e ${keptFolder(version)}/complete ] || echo unfinished`;
  const { stdout } = await machine.read(script, { step: "reading the unfinished upgrade of the kubelet", signal });
  return stdout.trim() !== "";
}

/** Folder of the files of the previous kubelet. */
const keptFolder = (version: string) => `/var/lib/kubewright/before-kubelet-${version}`;

/** An interrupted run may have put the new kubelet into place already. */
async function checkStaged(machine: Remote, version: string, signal: AbortSignal): Promise<void> {
  const script = `program=${STAGED}
[ -e "$program" ] || program=${PROGRAM}
"$program" --version`;
  const { stdout } = await machine.run(script, { step: STEP, signal });
  if (stdout.trim() === `Kubernetes v${version}`) return;
  throw new StepError({
    step: STEP,
    machine: machine.label,
    cause: `${STAGED} is ${stdout.trim() || "missing"}, not Kubernetes v${version}`,
    action: `run \`${userCommand("up", "--refresh")}\`, or \`pulumi up --refresh\`, which copies it again`,
  });
}

/** Writes kubeadm's configuration of the new kubelet. The flags lose those that the new kubelet would exit on. */
async function configure(context: Context, machine: Remote, version: string): Promise<void> {
  const { signal } = context;
  context.status(`writing the configuration of kubelet ${version}`);
  await machine.run(CONFIGURE, {
    step: "kubeadm upgrade node (kubelet-config)",
    signal,
    timeout: SECONDS,
    action: "check that the machine reaches the API server, then run `pulumi up` again",
  });
  const flags = (await readTextFiles(machine, { [FLAGS]: MODE }, signal))?.[FLAGS];
  if (!flags) return;
  const content = withoutRemovedFlags(flags.content, version);
  await writeFiles(machine, [textFile(FLAGS, content, flags.mode)], STEP, signal);
}

/** kubeadm's own copies are removed: the kept files replace them. */
const CONFIGURE = `set -e
kubeadm upgrade node phase kubelet-config
rm -rf /etc/kubernetes/tmp/kubeadm-kubelet-config*
rmdir /etc/kubernetes/tmp 2>/dev/null || true`;

const RESTART = `systemctl reset-failed ${UNIT} || true
systemctl restart ${UNIT}`;

const START = `set -e
[ ! -e ${STAGED} ] || mv -fT ${STAGED} ${PROGRAM}
if command -v restorecon >/dev/null 2>&1; then restorecon ${PROGRAM}; fi
${RESTART}`;

/** The refused kubelet stays for the next attempt. */
const STAGE_AGAIN = `[ -e ${STAGED} ] || cp -p ${PROGRAM} ${quote(`${STAGED}.arriving`)}
[ ! -e ${quote(`${STAGED}.arriving`)} ] || mv -fT ${quote(`${STAGED}.arriving`)} ${STAGED}`;

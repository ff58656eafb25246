import { userCommand } from "../../common/user-command";
import {
  AUTHORITY,
  PHASES,
  planStages,
  type AuthorityName,
  type Phase,
  type PlannedStage,
} from "../../provider/rotation/phases";
import type { CertificateKeys } from "../../render/kubeadm-types";

/** One run of the rotation, and what it affects besides the machines. */
export interface RotationPlan {
  phase: Phase;
  authorities: readonly AuthorityName[];
  /** Whether an earlier run of this phase was interrupted. */
  isResumed: boolean;
  /** Algorithm of the new keys; that of each key that is replaced where it is undefined. */
  keys?: CertificateKeys | undefined;
  controlPlanes: readonly string[];
  /** All nodes, with the control planes. */
  nodes: readonly string[];
  /** Workloads of users whose pods have read the CAs before they were last published. */
  workloads: readonly string[];
  /** Webhooks and API services that trust the previous CA by their `caBundle`. */
  caBundles: readonly string[];
  /** Secrets with a token that does not expire. */
  tokens: readonly string[];
}

const SUMMARY: Readonly<Record<Phase, string>> = {
  trust: "Everything trusts the new ones beside the present ones. Nothing is reissued yet.",
  reissue: "Every certificate is issued by the new ones. Everything still trusts the previous ones too.",
  drop: "Nothing trusts the previous ones any more.",
};

/** Describes a run before the command asks. */
export function rotationPlanText(plan: RotationPlan): string {
  const { phase, isResumed, authorities } = plan;
  const number = PHASES.indexOf(phase) + 1;
  const steps = rotationSteps(plan).map((step, index) => `  ${index + 1}. ${step}`);
  return `${[
    `${isResumed ? "Continue" : "Begin"} phase ${number} of ${PHASES.length}, ${phase}: ${titlesOf(authorities)}.`,
    SUMMARY[phase],
    "",
    ...steps,
    "",
    "Machines that an earlier run has finished are skipped. If a step fails, that machine's files are put back.",
    ...notices(plan).map((notice) => `\n${notice}`),
  ].join("\n")}\n`;
}

function titlesOf(authorities: readonly AuthorityName[]): string {
  return authorities.map((name) => AUTHORITY[name].title).join(", ");
}

/** Returns what a run does, in its order. */
export function rotationSteps({ phase, authorities, controlPlanes, nodes }: RotationPlan): string[] {
  const isCluster = authorities.includes("cluster");
  const stages = planStages(phase, authorities);
  const control = controlPlanes.map((name) => `${name}: ${describeStages(stages, controlPlanes.length > 1)}`);
  if (!isCluster) return control;
  const client = phase === "reissue" ? "a new client certificate, and " : "";
  return [
    ...(phase === "trust" ? ["all machines record which CA the cluster had"] : []),
    ...control,
    "the ConfigMaps cluster-info and kube-root-ca.crt, in all namespaces",
    `the kubelets of ${nodes.join(", ")}: ${client}a restart; pods continue`,
    "kube-proxy, flannel and CoreDNS: their pods are replaced, one after the other",
    "the kubeconfig on this computer",
  ];
}

function describeStages(stages: readonly PlannedStage[], hasOthers: boolean): string {
  const restarts = stages.flatMap(({ component, restarts }) => (restarts && component ? [component] : []));
  const renews = stages.flatMap((stage) => stage.renews);
  const away = hasOthers ? ", out of the API balancers in the meantime" : "; the API is unavailable for some seconds";
  const issued = renews.length > 0 ? `; reissues ${renews.join(", ")}` : "";
  return `${restarts.join(", ")} restart, one after the other${away}${issued}`;
}

/** Returns what users must do or know, which the command does not do. */
function notices(plan: RotationPlan): string[] {
  const { phase, authorities, isResumed, keys, workloads, caBundles, tokens } = plan;
  const isCluster = authorities.includes("cluster");
  return [
    ...(phase === "trust" && !isResumed ? [keysNotice(keys)] : []),
    ...(isCluster && phase === "reissue" && workloads.length > 0 ? [restartNotice(workloads)] : []),
    ...(isCluster && caBundles.length > 0 && phase !== "drop"
      ? [`These trust the present CA by their caBundle, which only you can change: ${caBundles.join(", ")}.`]
      : []),
    ...(authorities.includes("service-account") && phase === "drop" && tokens.length > 0
      ? [`These tokens become invalid; create their Secrets again: ${tokens.join(", ")}.`]
      : []),
    ...(isCluster ? [kubeconfigNotice(phase)] : []),
    ...(phase === "drop" ? [backupNotice()] : []),
  ];
}

function keysNotice(keys: CertificateKeys | undefined): string {
  const algorithm = keys ?? "the algorithm of those that they replace";
  return `The new keys have ${algorithm}, which \`security.certificateKeys\` can change before this phase begins.`;
}

function restartNotice(workloads: readonly string[]): string {
  return (
    `These have started before the new CA was published. If they use the Kubernetes API, restart them first ` +
    `(\`kubectl rollout restart\`), or their requests fail: ${workloads.join(", ")}.`
  );
}

function kubeconfigNotice(phase: Phase): string {
  const copies = "Copies of the kubeconfig, and programs that pin the CA,";
  if (phase === "trust") return `${copies} need the new CA before the next phase: copy the kubeconfig again.`;
  if (phase === "reissue") return `${copies} need its new client certificate before the next phase: copy it again.`;
  return `${copies} of before phase 2 are refused from now on.`;
}

function backupNotice(): string {
  return (
    `Backups from before the rotation contain the previous CAs: \`${userCommand("restore")}\` refuses them. ` +
    `Run \`${userCommand("backup")}\` afterwards.`
  );
}

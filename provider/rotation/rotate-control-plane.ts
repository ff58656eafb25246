import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { until } from "../../common/wait";
import { KUBERNETES } from "../../render/component-paths";
import { readContents, textFile, writeFiles } from "../host/files";
import type { OutgoingFile } from "../host/archive";
import { API_PORT } from "../kube/clients";
import { withoutTraffic } from "../kubeadm/api-traffic";
import { applyManifests, type ManifestStage } from "../kubeadm/apply-manifests";
import { handOverLeadership } from "../kubeadm/etcd-member";
import { readMembers } from "../kubeadm/etcd-status";
import { manifestPath, readManifestTexts, type Component } from "../kubeadm/manifest-texts";
import { CONFIG } from "../kubeadm/manifests";
import { markRenewal } from "../kubeadm/renewal-mark";
import { waitUntilServed } from "../kubeadm/served-certificate";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { authorityDataScript } from "./authority-data";
import { readLeaves, requireIssued } from "./issued-certificates";
import { nextKeyPath, type Successions } from "./materials";
import { pemBlocks } from "../pki/pem";
import {
  AUTHORITY,
  bundleIn,
  filesInPhase,
  hasNewKey,
  planStages,
  type AuthorityName,
  type PlannedStage,
} from "./phases";
import { PLACE, placeCommand } from "./place-script";
import { isProved, markProved, type RotationRecord } from "./rotation-record";
import { hasSigningFile, SIGNING_CERTIFICATE, withSigningFile } from "../kubeadm/signing-file";

const STEP = "replacing the CAs";
const STAGING = `${KUBERNETES}/tmp/kubewright-rotation`;
const SECONDS = 120;
const ETCD_SECONDS = 120;
const ETCD_PORT = 2379;
const CONTROLLER_MANAGER = "kube-controller-manager";
const ACTION = "repair what the error names, then run the command again";

/** A phase on one control plane. */
export interface ControlPlaneRotation {
  record: RotationRecord;
  successions: Successions;
  /** Name of the control plane's node. */
  node: string;
}

/**
 * Does a phase on a control plane, component by component, and proves each healthy. Otherwise the previous files are
 * restored. It is out of the API balancers in the meantime. Does nothing where an earlier run has proved it.
 */
export async function rotateControlPlane(
  context: Context,
  machine: Remote,
  rotation: ControlPlaneRotation,
): Promise<void> {
  const { record, node } = rotation;
  const { signal } = context;
  if (await isProved(machine, record, "control-plane", signal)) return;
  await withoutTraffic(context, machine, node, async () => {
    if (record.phase === "trust" && record.authorities.includes("cluster"))
      await separateSigning(context, machine, rotation);
    await applyManifests(context, machine, {
      node,
      files: [...filesInPhase(record.phase, record.authorities), SIGNING_CERTIFICATE],
      stages: planStages(record.phase, record.authorities).map((stage) => stageOf(context, machine, rotation, stage)),
      action: ACTION,
    });
  });
  const leftovers = record.phase === "drop" ? [STAGING, SIGNING_CERTIFICATE] : [STAGING];
  await machine.run(`rm -rf ${leftovers.join(" ")}`, { step: STEP, signal });
  context.kube.forget(); // clients with the previous certificates
  await markProved(machine, record, "control-plane", signal);
}

/** Makes the controller manager sign with a file of its own, before `ca.crt` becomes a bundle that it would refuse. */
async function separateSigning(context: Context, machine: Remote, rotation: ControlPlaneRotation): Promise<void> {
  const { signal } = context;
  const manifest = (await readManifestTexts(machine, signal)).get(CONTROLLER_MANAGER);
  const hasFile = (await readContents(machine, [SIGNING_CERTIFICATE], signal)).has(SIGNING_CERTIFICATE);
  if (hasSigningFile(manifest) && hasFile) return;
  context.status("separating the controller manager's signing certificate");
  const write = async () => {
    const files = [signingFile(rotation), manifestFile(withSigningFile(manifest ?? "", true))];
    await writeFiles(machine, files, STEP, signal);
    await machine.run(
      [
        ...["set -e", PLACE, placeCommand(staged("signing.crt"), SIGNING_CERTIFICATE)],
        placeCommand(staged("manifest.yaml"), manifestPath(CONTROLLER_MANAGER)),
      ].join("\n"),
      { step: STEP, signal },
    );
  };
  const stages = [{ components: [CONTROLLER_MANAGER] as const, write }];
  await applyManifests(context, machine, { node: rotation.node, files: [SIGNING_CERTIFICATE], stages, action: ACTION });
}

const staged = (name: string) => `${STAGING}/${name}`;

function manifestFile(text: string): OutgoingFile {
  return textFile(staged("manifest.yaml"), text, "0600");
}

/** The certificate whose key is `ca.key` in the phase. */
function signingFile({ record, successions }: ControlPlaneRotation): OutgoingFile {
  const [signing = ""] = pemBlocks(bundleOf(record, successions, "cluster"));
  return textFile(staged("signing.crt"), signing, "0644");
}

function bundleOf({ phase }: RotationRecord, successions: Successions, name: AuthorityName): string {
  const succession = successions.get(name);
  if (succession) return bundleIn(phase, succession);
  throw new StepError({ step: STEP, cause: `the new files of ${AUTHORITY[name].title} are missing`, action: ACTION });
}

function stageOf(
  context: Context,
  machine: Remote,
  rotation: ControlPlaneRotation,
  stage: PlannedStage,
): ManifestStage {
  return {
    components: stage.component === undefined ? [] : [stage.component],
    write: () => writeStage(context, machine, rotation, stage),
    prove: () => proveStage(context, machine, rotation, stage),
  };
}

/** Replaces the files of a component and its manifest, in one command that no lost connection divides. */
async function writeStage(
  context: Context,
  machine: Remote,
  rotation: ControlPlaneRotation,
  stage: PlannedStage,
): Promise<void> {
  const { record, successions } = rotation;
  const { signal, status } = context;
  const { component, places, restarts } = stage;
  status(`${STEP} of ${component ?? "the administrator"} (${record.phase})`);
  const manifest = restarts && component ? await changedManifest(context, machine, record, component) : undefined;
  const isSigning = places.includes("cluster") && record.phase === "reissue";
  const files = [
    ...places.map((name) =>
      textFile(staged(`${name}.crt`), bundleOf(record, successions, name), AUTHORITY[name].certificateMode),
    ),
    ...(isSigning ? [signingFile(rotation)] : []),
    ...(manifest === undefined ? [] : [manifestFile(manifest)]),
  ];
  await writeFiles(machine, files, STEP, signal);
  if (component === "etcd" && restarts) await handOverLeadership(machine, context);
  await machine.run(stageScript(record, stage, { isSigning, hasManifest: manifest !== undefined }), {
    step: STEP,
    signal,
    timeout: SECONDS,
    action: ACTION,
  });
}

async function changedManifest(
  { signal, clock }: Context,
  machine: Remote,
  { phase, authorities }: RotationRecord,
  component: Component,
): Promise<string | undefined> {
  const current = (await readManifestTexts(machine, signal)).get(component);
  if (current === undefined) return undefined;
  const isSigner = component === CONTROLLER_MANAGER && authorities.includes("cluster");
  const flagged = isSigner ? withSigningFile(current, phase !== "drop") : current;
  return markRenewal(flagged, new Date(clock.now()).toISOString());
}

/** Returns the script of a stage. `kubeadm certs renew` uses the CA that is in place. */
export function stageScript(
  { phase }: Pick<RotationRecord, "phase">,
  { component, places, renews, kubeconfigs }: PlannedStage,
  { isSigning, hasManifest }: { isSigning: boolean; hasManifest: boolean },
): string {
  const conf = (name: string) => `${KUBERNETES}/${name}`;
  return [
    ...["set -e", "umask 077", PLACE],
    ...places.flatMap((name) => [
      placeCommand(staged(`${name}.crt`), AUTHORITY[name].certificate),
      ...(hasNewKey(phase) ? [placeCommand(nextKeyPath(name), AUTHORITY[name].key)] : []),
    ]),
    ...(isSigning ? [placeCommand(staged("signing.crt"), SIGNING_CERTIFICATE)] : []),
    ...renews.map(renewCommand),
    authorityDataScript(kubeconfigs.map(conf), AUTHORITY.cluster.certificate),
    ...(hasManifest && component ? [placeCommand(staged("manifest.yaml"), manifestPath(component))] : []),
  ]
    .filter(Boolean)
    .join("\n");
}

/** Control planes of older versions have no `super-admin.conf`. */
function renewCommand(name: string): string {
  const renew = `kubeadm certs renew ${quote(name)} --config ${CONFIG} 2>&1`;
  return name.endsWith(".conf") ? `[ ! -e ${KUBERNETES}/${name} ] || ${renew}` : renew;
}

async function proveStage(
  context: Context,
  machine: Remote,
  { successions }: ControlPlaneRotation,
  { component, renews, restarts }: PlannedStage,
): Promise<void> {
  const { signal } = context;
  const leaves = await readLeaves(machine, renews, signal);
  await requireIssued(machine, leaves, (name) => successions.get(authorityOf(name))?.next ?? "");
  const served = component === "etcd" ? leaves.get("etcd-server") : leaves.get("apiserver");
  if (served && (component === "etcd" || component === "kube-apiserver"))
    await waitUntilServed(context, machine, {
      ...(component === "etcd" ? { server: "etcd", port: ETCD_PORT } : { server: "the API server", port: API_PORT }),
      fingerprint: served.fingerprint256,
      consequence: "",
      action: `run \`crictl logs\` for ${component} on the machine, then run again`,
    });
  if (component === "etcd") await waitForMembers(context, machine, restarts);
}

/** Returns the CA that issues a leaf: the cluster's for those of kubelets. */
export function authorityOf(leaf: string): AuthorityName {
  const all = Object.entries(AUTHORITY) as [AuthorityName, (typeof AUTHORITY)[AuthorityName]][];
  const found = all.find(([, { leaves }]) => Object.values(leaves).some((names) => names.includes(leaf)));
  return found?.[0] ?? "cluster";
}

/** Waits until all members of etcd trust each other, before the next control plane changes. */
async function waitForMembers({ signal, status }: Context, machine: Remote, hasRestarted: boolean): Promise<void> {
  status("waiting until all members of etcd are healthy");
  let unhealthy: string[] = [];
  await until(
    async () => {
      const members = await readMembers(machine, signal);
      unhealthy = (members ?? []).filter(({ isHealthy }) => !isHealthy).map(({ id, name }) => name || id);
      return (members !== undefined && unhealthy.length === 0) || undefined;
    },
    {
      ...{ signal, timeout: ETCD_SECONDS, patience: machine.patience, every: 500 },
      onTimeout: (seconds) =>
        new StepError({
          step: hasRestarted ? "restarting etcd" : "reissuing etcd's certificates",
          machine: machine.label,
          cause: `${unhealthy.join(", ") || "etcd"} is not healthy after ${seconds} s`,
          action: "see /var/log/pods/*_etcd-*",
        }),
    },
  );
}

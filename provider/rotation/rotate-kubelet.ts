import { StepError } from "../../common/errors";
import { commandLine } from "../../common/quote";
import type { Connection } from "../../contracts/connection";
import { textFile, writeFiles } from "../host/files";
import { putBack } from "../host/put-back";
import { waitUntilUnitHealthy } from "../host/unit-health";
import { readMembership } from "../kubeadm/membership";
import { proveNodeReported, wasReady } from "../kubelet/node-reported";
import type { Identity } from "../pki/x509";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { authorityDataScript } from "./authority-data";
import { currentPath, issueCertificates, pathAt, type KubeletCertificate } from "./kubelet-certificates";
import { AUTHORITY } from "./phases";
import { PLACE, placeCommand } from "./place-script";
import { isProved, markProved, ROTATION_FOLDER, type RotationRecord } from "./rotation-record";

const STEP = "replacing the CA of the kubelet";
const UNIT = "kubelet.service";
const KUBELET_CONF = "/etc/kubernetes/kubelet.conf";
const CLIENT = currentPath("client");
const SERVER = currentPath("server");
const STAGING = `${ROTATION_FOLDER}/kubelet`;
const KEPT = `${ROTATION_FOLDER}/previous-kubelet`;
const SECONDS = 120;

export interface KubeletRotation {
  record: RotationRecord;
  /** CAs that the kubelet trusts in this phase. */
  bundle: string;
  /** The CA that issues new certificates; absent where the present ones stay. */
  authority?: Identity | undefined;
  controlPlanes: readonly Connection[];
}

/**
 * Replaces the CAs that a kubelet trusts, and its certificates where a CA is given, restarts it, and proves that its
 * node is Ready. Otherwise the previous files are restored. Pods keep running.
 */
export async function rotateKubelet(context: Context, machine: Remote, rotation: KubeletRotation): Promise<void> {
  const { record, controlPlanes } = rotation;
  const { signal } = context;
  if (await isProved(machine, record, "kubelet", signal)) return;
  const node = { name: await readNodeName(machine, signal), controlPlanes };
  const mustBeReady = await wasReady(context, machine, node);
  const prove = async () => {
    await waitUntilUnitHealthy(context, machine, { unit: UNIT });
    await proveNodeReported(context, machine, node, mustBeReady);
  };
  await machine.run(KEEP, { step: STEP, signal });
  try {
    context.status(`${STEP} (${record.phase})`);
    await change(context, machine, rotation, node.name);
    await prove();
  } catch (error) {
    // The copies stay: the next run continues, and restores them if it fails.
    if (signal.aborted) throw error;
    const restore = async () => {
      await machine.run(RESTORE, { step: STEP, signal, timeout: SECONDS });
      await prove();
      await machine.run(DROP, { step: STEP, signal });
    };
    const action = "repair what the error names, then run the command again";
    throw (await putBack(context, machine, { name: UNIT, error, changes: "", restore, action })) ?? error;
  }
  await markProved(machine, record, "kubelet", signal);
  await machine.run(DROP, { step: STEP, signal });
}

async function readNodeName(machine: Remote, signal: AbortSignal): Promise<string> {
  const membership = await readMembership(machine, signal);
  if (membership) return membership.node;
  throw new StepError({
    step: STEP,
    machine: machine.label,
    cause: "its kubelet has no client certificate",
    action: `restore ${CLIENT}, or rebuild the node`,
  });
}

async function change(
  { signal, clock }: Context,
  machine: Remote,
  { bundle, authority }: KubeletRotation,
  node: string,
): Promise<void> {
  const issued = authority
    ? await issueCertificates(machine, { authority, node, signal })
    : new Map<KubeletCertificate, string>();
  const links = [...issued.keys()].map((kind) => ({
    arrived: `${STAGING}/${kind}.pem`,
    path: pathAt(kind, clock.now()),
    link: currentPath(kind),
  }));
  const certificates = [...issued].map(([kind, text]) => textFile(`${STAGING}/${kind}.pem`, text, "0600"));
  await writeFiles(machine, [textFile(`${STAGING}/ca.crt`, bundle, "0644"), ...certificates], STEP, signal);
  await machine.run(changeScript(links), { step: STEP, signal, timeout: SECONDS });
}

const RESTART = `systemctl reset-failed ${UNIT} || true
systemctl restart ${UNIT}`;

/** A new certificate of the kubelet. */
interface NewCertificate {
  arrived: string;
  path: string;
  /** Link to the certificate that the kubelet uses. */
  link: string;
}

export function changeScript(certificates: readonly NewCertificate[]): string {
  return [
    ...["set -e", "umask 077", PLACE, placeCommand(`${STAGING}/ca.crt`, AUTHORITY.cluster.certificate)],
    authorityDataScript([KUBELET_CONF], AUTHORITY.cluster.certificate),
    ...certificates.flatMap(({ arrived, path, link }) => [
      placeCommand(arrived, path),
      `ln -sfn ${commandLine([path])} ${link}.new`,
      `mv -fT ${link}.new ${link}`,
    ]),
    RESTART,
  ].join("\n");
}

const KEEP = `set -e
umask 077
[ ! -e ${KEPT}/complete ] || exit 0
rm -rf ${KEPT}
mkdir -p ${KEPT}
cp -p ${AUTHORITY.cluster.certificate} ${KEPT}/ca.crt
cp -p ${KUBELET_CONF} ${KEPT}/kubelet.conf
readlink -f ${CLIENT} > ${KEPT}/client
[ ! -e ${SERVER} ] || readlink -f ${SERVER} > ${KEPT}/server
touch ${KEPT}/complete`;

const RESTORE = `set -e
[ -e ${KEPT}/complete ]
${PLACE}
${placeCommand(`${KEPT}/ca.crt`, AUTHORITY.cluster.certificate)}
${placeCommand(`${KEPT}/kubelet.conf`, KUBELET_CONF)}
ln -sfn "$(cat ${KEPT}/client)" ${CLIENT}.new
mv -fT ${CLIENT}.new ${CLIENT}
[ ! -e ${KEPT}/server ] || { ln -sfn "$(cat ${KEPT}/server)" ${SERVER}.new; mv -fT ${SERVER}.new ${SERVER}; }
${RESTART}`;

const DROP = `rm -rf ${KEPT} ${STAGING}`;

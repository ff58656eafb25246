import { StepError } from "../../common/errors";
import { commandLine } from "../../common/quote";
import type { Connection } from "../../contracts/connection";
import { textFile, writeFiles } from "../host/files";
import { putBack } from "../host/put-back";
import { waitUntilUnitHealthy } from "../host/unit-health";
import { readMembership } from "../kubeadm/membership";
import { proveNodeReported, wasReady } from "../kubelet/node-reported";
import { createCertificate, type Identity } from "../pki/x509";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { authorityDataScript } from "./authority-data";
import { AUTHORITY } from "./phases";
import { PLACE, placeCommand } from "./place-script";
import { isProved, markProved, ROTATION_FOLDER, type RotationRecord } from "./rotation-record";

const STEP = "replacing the CA of the kubelet";
const UNIT = "kubelet.service";
const KUBELET_CONF = "/etc/kubernetes/kubelet.conf";
const KUBELET_PKI = "/var/lib/kubelet/pki";
const CURRENT = `${KUBELET_PKI}/kubelet-client-current.pem`;
const STAGING = `${ROTATION_FOLDER}/kubelet`;
const KEPT = `${ROTATION_FOLDER}/previous-kubelet`;
const SECONDS = 120;
/** As the controller manager does. The kubelet replaces the certificate itself before its end, with a new key. */
const DAYS = 365;

export interface KubeletRotation {
  record: RotationRecord;
  /** CAs that the kubelet trusts in this phase. */
  bundle: string;
  /** The CA that issues a new client certificate; absent where the present one stays. */
  authority?: Identity | undefined;
  controlPlanes: readonly Connection[];
}

/**
 * Replaces the CAs that a kubelet trusts, and its client certificate where a CA is given, restarts it, and proves that
 * its node is Ready. Otherwise the previous files are restored. Pods keep running.
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
    action: `restore ${CURRENT}, or rebuild the node`,
  });
}

async function change(
  { signal, clock }: Context,
  machine: Remote,
  { bundle, authority }: KubeletRotation,
  node: string,
): Promise<void> {
  const files = [textFile(`${STAGING}/ca.crt`, bundle, "0644")];
  // The name that the kubelet itself gives to its certificates.
  const time = new Date(clock.now()).toISOString().slice(0, 19).replace(/[T:]/g, "-");
  const client = authority && `${KUBELET_PKI}/kubelet-client-${time}.pem`;
  if (authority) files.push(textFile(`${STAGING}/client.pem`, await issueClient(authority, node), "0600"));
  await writeFiles(machine, files, STEP, signal);
  await machine.run(changeScript(client), { step: STEP, signal, timeout: SECONDS });
}

/** Returns certificate and key of a node, PEM. */
async function issueClient(authority: Identity, node: string): Promise<string> {
  const subject = { commonName: `system:node:${node}`, organizations: ["system:nodes"] };
  const { certificate, key } = await createCertificate(authority, { ...subject, usages: ["client"], days: DAYS });
  return certificate + key;
}

const RESTART = `systemctl reset-failed ${UNIT} || true
systemctl restart ${UNIT}`;

/** @param client path of a new client certificate; undefined where the present one stays */
export function changeScript(client: string | undefined): string {
  return [
    ...["set -e", "umask 077", PLACE, placeCommand(`${STAGING}/ca.crt`, AUTHORITY.cluster.certificate)],
    authorityDataScript([KUBELET_CONF], AUTHORITY.cluster.certificate),
    ...(client === undefined
      ? []
      : [
          placeCommand(`${STAGING}/client.pem`, client),
          `ln -sfn ${commandLine([client])} ${CURRENT}.new`,
          `mv -fT ${CURRENT}.new ${CURRENT}`,
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
readlink -f ${CURRENT} > ${KEPT}/client
touch ${KEPT}/complete`;

const RESTORE = `set -e
[ -e ${KEPT}/complete ]
${PLACE}
${placeCommand(`${KEPT}/ca.crt`, AUTHORITY.cluster.certificate)}
${placeCommand(`${KEPT}/kubelet.conf`, KUBELET_CONF)}
ln -sfn "$(cat ${KEPT}/client)" ${CURRENT}.new
mv -fT ${CURRENT}.new ${CURRENT}
${RESTART}`;

const DROP = `rm -rf ${KEPT} ${STAGING}`;

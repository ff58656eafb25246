import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { KUBERNETES, PKI } from "../../render/component-paths";
import { toYaml } from "../../render/kubeadm-documents";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import { RENEWAL_RESULT } from "../../render/renew-certificates";
import { textFile, writeFiles } from "../host/files";
import { API_PORT } from "../kube/clients";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { withoutTraffic } from "./api-traffic";
import { applyManifests, type ManifestStage } from "./apply-manifests";
import { describeEnd, renewalWindow } from "./certificate-expiry";
import { readCertificates, type MachineCertificate } from "./certificates";
import { type Component, manifestPath, readManifestTexts } from "./manifest-texts";
import { markRenewal } from "./renewal-mark";
import { waitUntilServed } from "./served-certificate";

const STEP = "renewing certificates";
const STAGING = `${KUBERNETES}/tmp/kubewright-certificates`;
const SECONDS = 60;
const ETCD_PORT = 2379;
const SUPER_ADMIN = "super-admin.conf";

interface RenewalStage {
  component?: Component;
  /** Certificates by the names of `readCertificates`, in the order of `kubeadm certs renew`. */
  names: readonly string[];
  /**
   * Whether the component reads its certificates only when it starts. etcd reads them at each handshake: it serves new
   * ones without a restart.
   */
  restarts: boolean;
  /** The certificate that the component serves to its clients. */
  serves?: { name: string; server: string; port: number };
}

/** The leaves of a control plane, in the order in which their components depend on one another. */
const STAGES: readonly RenewalStage[] = [
  {
    component: "etcd",
    names: ["etcd/server", "etcd/peer", "etcd/healthcheck-client"],
    restarts: false,
    serves: { name: "etcd/server", server: "etcd", port: ETCD_PORT },
  },
  {
    component: "kube-apiserver",
    names: ["apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client"],
    restarts: true,
    serves: { name: "apiserver", server: "the API server", port: API_PORT },
  },
  { component: "kube-controller-manager", names: ["controller-manager.conf"], restarts: true },
  { component: "kube-scheduler", names: ["scheduler.conf"], restarts: true },
  { names: ["admin.conf", SUPER_ADMIN], restarts: false },
];
const RENEWED = new Set(STAGES.flatMap(({ names }) => names));

/** Returns the leaves of a control plane that must be renewed, with the one that ends first at the beginning. */
export function dueCertificates(certificates: readonly MachineCertificate[]): MachineCertificate[] {
  return renewedLeaves(certificates)
    .filter((certificate) => certificate.left < renewalWindow(certificate))
    .sort((one, other) => one.left - other.left);
}

/** Returns when the first leaf of a control plane must be renewed, ISO 8601; undefined if there is none. */
export function nextRenewal(certificates: readonly MachineCertificate[]): string | undefined {
  const times = renewedLeaves(certificates).map((one) => one.end.getTime() - renewalWindow(one));
  return times.length === 0 ? undefined : new Date(Math.min(...times)).toISOString();
}

function renewedLeaves(certificates: readonly MachineCertificate[]): MachineCertificate[] {
  return certificates.filter(({ name, kind }) => kind === "leaf" && RENEWED.has(name));
}

export interface Renewal {
  /** Name of the control plane's node. */
  node: string;
  documents: readonly KubeadmDocument[];
}

/**
 * Renews the leaves of a control plane that end within 30 days or have ended, component by component, and proves each
 * component healthy with its new certificates. Otherwise the previous files are restored. Needs the CA's keys on the
 * machine, but no API server.
 * @returns whether certificates were renewed
 */
export async function renewDueCertificates(context: Context, machine: Remote, renewal: Renewal): Promise<boolean> {
  const due = dueCertificates(await readCertificates(machine, context.signal));
  if (due.length === 0) return false;
  context.status(`${STEP}: ${describeEnd(due)}`);
  const dueNames = new Set(due.map(({ name }) => name));
  const stages = STAGES.map((stage) => ({ ...stage, names: stage.names.filter((name) => dueNames.has(name)) }));
  const dueStages = stages.filter(({ names }) => names.length > 0);
  const renew = () =>
    applyManifests(context, machine, {
      node: renewal.node,
      files: [...dueNames].flatMap(filesOf),
      stages: dueStages.map((stage) => stageOf(context, machine, renewal, stage)),
      action: `see \`kubeadm certs check-expiration\` on ${machine.label}, then run \`pulumi up\` again`,
    });
  const isServing = dueStages.some(({ component }) => component === "kube-apiserver");
  await (isServing ? withoutTraffic(context, machine, renewal.node, renew) : renew());
  await machine.run(`rm -rf ${STAGING} ${RENEWAL_RESULT}`, { step: STEP, signal: context.signal });
  context.kube.forget(); // clients with the previous certificates
  context.info(`renewed: ${due.map(({ name }) => name).join(", ")}`);
  return true;
}

function filesOf(name: string): string[] {
  return name.endsWith(".conf") ? [`${KUBERNETES}/${name}`] : ["crt", "key"].map((end) => `${PKI}/${name}.${end}`);
}

function stageOf(context: Context, machine: Remote, renewal: Renewal, stage: RenewalStage): ManifestStage {
  const { component, names } = stage;
  return {
    components: component === undefined ? [] : [component],
    write: () => renewStage(context, machine, renewal, stage),
    prove: async () => {
      const renewed = await requireRenewed(machine, names, context.signal);
      const served = renewed.find(({ name }) => name === stage.serves?.name);
      if (stage.serves === undefined || served === undefined) return;
      await waitUntilServed(context, machine, {
        ...stage.serves,
        fingerprint: served.fingerprint,
        consequence: "",
        action: `run \`crictl logs\` for ${component} on the machine, then run again`,
      });
    },
  };
}

/** Renews the certificates of a component and places its manifest, in one command that no lost connection divides. */
async function renewStage(context: Context, machine: Remote, renewal: Renewal, stage: RenewalStage): Promise<void> {
  const { component, names, restarts } = stage;
  const { signal, status } = context;
  status(`${STEP} of ${component ?? "the administrator"}: ${names.join(", ")}`);
  const config = `${STAGING}/kubeadm.yaml`;
  const manifest = `${STAGING}/manifest.yaml`;
  const files = [textFile(config, toYaml(renewal.documents), "0600")];
  const current = restarts && component ? (await readManifestTexts(machine, signal)).get(component) : undefined;
  if (current !== undefined)
    files.push(textFile(manifest, markRenewal(current, new Date(context.clock.now()).toISOString()), "0600"));
  await writeFiles(machine, files, STEP, signal);
  const commands = names.map((name) => `kubeadm certs renew ${quote(commandOf(name))} --config ${config} 2>&1`);
  const place = current !== undefined && component ? [`mv -fT ${manifest} ${quote(manifestPath(component))}`] : [];
  await machine.run(["set -e", ...commands, ...place].join("\n"), {
    step: STEP,
    signal,
    timeout: SECONDS,
    action: `the keys of the CAs must be in ${PKI}: restore those that are missing, then run again`,
  });
}

/** Returns the name that `kubeadm certs renew` uses: `etcd-server` for `etcd/server`. */
function commandOf(name: string): string {
  return name.replace("/", "-");
}

/** @throws StepError if a certificate is still due */
async function requireRenewed(
  machine: Remote,
  names: readonly string[],
  signal: AbortSignal,
): Promise<MachineCertificate[]> {
  const certificates = await readCertificates(machine, signal);
  const due = dueCertificates(certificates).filter(({ name }) => names.includes(name));
  if (due.length === 0) return certificates.filter(({ name }) => names.includes(name));
  throw new StepError({ step: STEP, machine: machine.label, cause: `kubeadm did not renew them: ${describeEnd(due)}` });
}

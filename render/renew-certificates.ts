import { quote } from "../common/quote";
import { BALANCER_ANSWER } from "./api-balancer";
import { NO_OTHER_READY, TAKEN_OUT, takeOutScript } from "./api-traffic";
import { ETCDCTL } from "./etcdctl";
import { HTTP_REQUEST } from "./http-request";
import { leaseScript } from "./lease";
import { readableFiles, type NodeFiles } from "./node-files";
import { template } from "./template";
import { timerResultScript } from "./timer-result";

/** Days before its end in which a leaf is renewed, by `up` and by the timer. kubeadm's leaves are valid for a year. */
export const RENEWAL_DAYS = 30;

/** Timer on each control plane that renews its leaves, and the service that it starts. */
export const RENEWAL_TIMER = "kubewright-renew-certificates.timer";
export const RENEWAL_SERVICE = "kubewright-renew-certificates.service";
export const RENEWAL_FOLDER = "/etc/kubewright/renew-certificates";
export const RENEWAL_SCRIPT = `${RENEWAL_FOLDER}/renew.sh`;

/**
 * How the timer's last run ended: `failed 2026-11-27T06:00:00Z`, and the reason in the next line. The states are `ok`,
 * `postponed` (another control plane is renewing), `running` and `failed`.
 */
export const RENEWAL_RESULT = "/var/lib/kubewright/kubeadm/renewal";
/** Held with flock(1) while files of a control plane are copied before a change, and while the timer renews leaves. */
export const RENEWAL_LOCK = "/var/lib/kubewright/kubeadm/renewal.lock";

export interface RenewalOptions {
  /** Name of the control plane's node. */
  node: string;
  /** Seconds until a restarted component must be healthy. */
  healthySeconds: number;
}

/** A run never renews the Lease, so the Lease lasts as long as the service may run. */
const LEASE = { name: "kubewright-renew-certificates", duration: 3_600, wait: 900 };
const PARTS = ["leaves.sh", "kept.sh", "pods.sh", "prove.sh"] as const;

/** Renders the timer that renews the leaves of a control plane, and its scripts. */
export function renewalFiles({ node, healthySeconds }: RenewalOptions): NodeFiles {
  const settings = [`node=${quote(node)}`, `days=${RENEWAL_DAYS}`, `seconds=${healthySeconds}`];
  const script = template("renew-certificates/renew.sh", {
    FOLDER: RENEWAL_FOLDER,
    ANSWER: BALANCER_ANSWER,
    TAKEN_OUT: String(TAKEN_OUT),
    NO_OTHER_READY: String(NO_OTHER_READY),
  });
  const own: Record<string, string> = {
    "renew.sh": script,
    settings: `# Written by Kubewright.\n${settings.join("\n")}\n`,
    "take-out.sh": `${takeOutScript(node)}\n`,
    "etcdctl.sh": `${ETCDCTL}\n`,
    "lease.sh": leaseScript(LEASE),
    "result.sh": timerResultScript(),
    "request.sh": `${HTTP_REQUEST}\n`,
    ...Object.fromEntries(PARTS.map((part) => [part, template(`renew-certificates/${part}`)])),
  };
  const units = {
    [RENEWAL_SERVICE]: template(`renew-certificates/${RENEWAL_SERVICE}`, { SCRIPT: RENEWAL_SCRIPT }),
    [RENEWAL_TIMER]: template(`renew-certificates/${RENEWAL_TIMER}`),
  };
  return { ...readableFiles(RENEWAL_FOLDER, own), ...readableFiles("/etc/systemd/system", units) };
}

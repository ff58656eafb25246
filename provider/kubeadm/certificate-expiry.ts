import { DAY_MS, describeDuration } from "../../common/duration";
import { RENEWAL_DAYS } from "../../render/renew-certificates";
import type { Context } from "../rpc/handler";
import type { CertificateKind, MachineCertificate } from "./certificates";
import { userCommand } from "../../common/user-command";

/** Days before its end in which a certificate makes the cluster unhealthy. */
export const CRITICAL_DAYS = 7;

/**
 * Shares of a lifetime that limit these days for certificates with a short lifetime. The kubelet renews its own
 * certificates when 10 to 30 % of their lifetime are left.
 */
const SHARES = { issued: { soon: 1 / 3, critical: 1 / 10 }, rotated: { soon: 1 / 10, critical: 1 / 20 } };

export type ExpiryState = "valid" | "soon" | "critical" | "expired";

/** Returns in which phase of its life a certificate is. */
export function expiryState({ kind, start, end, left }: MachineCertificate): ExpiryState {
  const shares = SHARES[kind === "rotated" ? "rotated" : "issued"];
  const lifetime = end.getTime() - start.getTime();
  if (left <= 0) return "expired";
  if (left < Math.min(CRITICAL_DAYS * DAY_MS, lifetime * shares.critical)) return "critical";
  return left < Math.min(RENEWAL_DAYS * DAY_MS, lifetime * shares.soon) ? "soon" : "valid";
}

/** Milliseconds before its end in which a certificate is renewed: 30 days, or the last third of a shorter lifetime. */
export function renewalWindow({ start, end }: Pick<MachineCertificate, "start" | "end">): number {
  return Math.min(RENEWAL_DAYS * DAY_MS, (end.getTime() - start.getTime()) * SHARES.issued.soon);
}

/** What an operator can do about a certificate that ends. */
const actions = (): Readonly<Record<CertificateKind, string>> => ({
  leaf: `\`${userCommand("up", "--refresh")}\` renews control plane certificates`,
  authority: "a CA is not renewed: plan its replacement",
  rotated: "the kubelet should have renewed it: see `kubectl get csr`, and `journalctl -u kubelet` on the machine",
  "self-signed":
    "only clients that verify the kubelet notice; to renew it, delete /var/lib/kubelet/pki/kubelet.crt and " +
    "kubelet.key and restart the kubelet",
});

export interface ExpiryReport {
  /** Certificates that have ended or end within days, for which the cluster is unhealthy. */
  problems: string[];
  warnings: string[];
}

/** Reports the certificates that end soon: one line for those of a machine about which the same can be done. */
export function reportExpiry(certificates: readonly MachineCertificate[]): ExpiryReport {
  const groups = new Map<string, MachineCertificate[]>();
  for (const certificate of certificates) {
    const state = expiryState(certificate);
    if (state === "valid") continue;
    const isProblem = state !== "soon" && certificate.kind !== "self-signed";
    const key = [certificate.machine, isProblem ? "problem" : "warning", certificate.kind].join("\n");
    groups.set(key, [...(groups.get(key) ?? []), certificate]);
  }
  const linesOf = (severity: string) =>
    [...groups].flatMap(([key, group]) => (key.split("\n")[1] === severity ? [describeGroup(group)] : []));
  return { problems: linesOf("problem"), warnings: linesOf("warning") };
}

function describeGroup(group: readonly MachineCertificate[]): string {
  const sorted = [...group].sort((one, other) => one.left - other.left);
  const [first] = sorted;
  if (!first) return "";
  return `${first.machine}: ${describeEnd(sorted)}; ${actions()[first.kind]}`;
}

/** `certificate apiserver ends in 12 days`, `certificates admin.conf and apiserver end, the first in 3 days` */
export function describeEnd(sorted: readonly Pick<MachineCertificate, "name" | "left">[]): string {
  const names = sorted.map(({ name }) => name);
  const left = Math.min(...sorted.map((one) => one.left));
  const isPast = left <= 0;
  const when = isPast ? `${describeDuration(-left)} ago` : `in ${describeDuration(left)}`;
  if (names.length === 1) return `certificate ${names.join("")} ${isPast ? "ended" : "ends"} ${when}`;
  const list = `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return `certificates ${list} ${isPast ? "ended" : "end"}, the first ${when}`;
}

/** Warns about certificates that end soon or have ended, for a refresh. */
export function warnOfExpiry(context: Pick<Context, "warn">, certificates: readonly MachineCertificate[]): void {
  const { problems, warnings } = reportExpiry(certificates);
  for (const line of [...problems, ...warnings]) context.warn(line);
}

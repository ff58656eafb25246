import { timeoutSignal } from "../../common/timer";
import { DAY_MS } from "../../common/duration";
import { messageOf } from "../../common/errors";
import { expiryState, reportExpiry, type ExpiryState } from "../../provider/kubeadm/certificate-expiry";
import { readCertificates, type CertificateKind, type MachineCertificate } from "../../provider/kubeadm/certificates";
import type { Remote } from "../../provider/ssh/remote";
import { table } from "../terminal/text";

/** Milliseconds until a machine that does not answer is reported. */
const LIMIT_MS = 20_000;

/** A certificate on a machine, as `npm run status` shows it. */
export interface CertificateStatus {
  node: string;
  /** `control-plane-1 (10.0.0.11)` */
  machine: string;
  /** `apiserver`, `admin.conf`, `kubelet client` */
  name: string;
  kind: CertificateKind;
  end: Date;
  /** By the machine's clock; negative after the end. */
  daysLeft: number;
  state: ExpiryState;
}

export interface CertificateReport {
  certificates: CertificateStatus[];
  /** Certificates that have ended or end within days, and machines that could not be read. */
  problems: string[];
  /** Certificates that end soon. */
  warnings: string[];
}

/** Reads the certificates of machines. A machine that cannot be read is a problem; the others are still shown. */
export async function readCertificateReport(
  machines: readonly Remote[],
  signal: AbortSignal,
): Promise<CertificateReport> {
  const reads = await Promise.all(machines.map((machine) => tryRead(machine, signal)));
  const certificates = reads.flatMap((read) => read.certificates);
  const { problems, warnings } = reportExpiry(certificates);
  return {
    certificates: certificates.map(statusOf),
    problems: [...reads.flatMap(({ problem }) => problem ?? []), ...problems],
    warnings,
  };
}

async function tryRead(
  machine: Remote,
  signal: AbortSignal,
): Promise<{ certificates: MachineCertificate[]; problem?: string }> {
  try {
    const limited = timeoutSignal(LIMIT_MS, signal);
    return { certificates: await readCertificates(machine, limited) };
  } catch (error) {
    signal.throwIfAborted();
    return { certificates: [], problem: `${machine.label}: certificates could not be read: ${messageOf(error)}` };
  }
}

function statusOf(certificate: MachineCertificate): CertificateStatus {
  const { node, machine, name, kind, end, left } = certificate;
  return { node, machine, name, kind, end, daysLeft: Math.floor(left / DAY_MS), state: expiryState(certificate) };
}

/** One line for all certificates, with the one that expires first. */
export function certificateLine(certificates: readonly CertificateStatus[]): string[] {
  const [first] = [...certificates].sort(byEnd);
  if (!first) return [];
  const when = `on ${dateOf(first)} (${first.daysLeft < 0 ? "expired" : `in ${first.daysLeft} days`})`;
  return [`certificates  ${certificates.length}; ${first.name} on ${first.machine} expires first, ${when}`];
}

/** Formats all certificates as a table, node by node, with the one that expires first on top. */
export function certificateTable(certificates: readonly CertificateStatus[]): string[] {
  const rows = [...certificates]
    .sort((one, other) => one.node.localeCompare(other.node, "en", { numeric: true }) || byEnd(one, other))
    .map((one) => [one.node, one.name, KINDS[one.kind], dateOf(one), String(one.daysLeft), STATES[one.state]]);
  return table([["NODE", "CERTIFICATE", "KIND", "EXPIRES", "DAYS LEFT", "STATE"], ...rows]);
}

const KINDS: Readonly<Record<CertificateKind, string>> = {
  authority: "CA",
  leaf: "leaf",
  rotated: "rotated by the kubelet",
  "self-signed": "self-signed",
};
const STATES: Readonly<Record<ExpiryState, string>> = {
  valid: "valid",
  soon: "expires soon",
  critical: "expires within days",
  expired: "expired",
};

function byEnd(one: CertificateStatus, other: CertificateStatus): number {
  return one.end.getTime() - other.end.getTime() || one.name.localeCompare(other.name);
}

function dateOf({ end }: CertificateStatus): string {
  return end.toISOString().slice(0, 10);
}

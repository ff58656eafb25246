import type { Probe } from "./probes";

/**
 * An item of the CIS Kubernetes Benchmark, or several that belong together. The table in docs/hardening.md is generated
 * from these, and `check --cis` proves them on a cluster.
 */
export interface CisItem {
  /** What it is about, in Markdown. */
  item: string;
  /** What Kubewright's clusters have, in Markdown. */
  state: string;
  /**
   * `passed`: every cluster must pass. `option`: a setting decides. `open`: not passed, for the reason in `state`, or
   * not decided by Kubewright.
   */
  expected: "passed" | "option" | "open";
  /** Finds out what a cluster has; absent where that does not depend on Kubewright. */
  probe?: Probe;
}

export interface CisSection {
  title: string;
  items: readonly CisItem[];
}

/** The option that decides the certificates of kubelets. */
export const SERVING_OPTION =
  "[`security.kubeletServingCertificates`](certificates.md#the-certificates-that-kubelets-serve), which new " +
  "clusters get";

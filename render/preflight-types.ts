import type { Runtime } from "../common/runtime";
import type { MachineFacts } from "./facts";
import type { ProxyMode } from "./kubeadm-types";

export type MachineRole = "control-plane" | "worker";

export interface JudgedMachine {
  name: string;
  /** Where it is reached over SSH: an address or a DNS name. */
  address: string;
  /** Where the other nodes reach it; absent: at `address`. */
  privateAddress?: string;
  role: MachineRole;
  facts: MachineFacts;
  /** Its kubelet is configured with `failSwapOn: false`. */
  swapAllowed?: boolean;
  /** This very machine (its machine-id) is a node of this cluster already: what a node occupies is then its own. */
  instanceAlreadyMember?: boolean;
}

export interface Expectations {
  podCidr: string;
  serviceCidr: string;
  proxyMode: ProxyMode;
  /** @default containerd */
  runtime?: Runtime;
  /** Present: the cluster is built by components. */
  bootstrap?: "components";
  /** The API server's port. @default 6443 */
  apiPort?: number;
}

export interface Finding {
  machine: string;
  severity: "error" | "warning";
  /** What is the case. */
  message: string;
  /** What the person does next. */
  action: string;
}

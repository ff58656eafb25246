import type { Runtime } from "../common/runtime";
import type { MachineFacts } from "./facts";
import type { ProxyMode } from "./kubeadm-types";

export type MachineRole = "control-plane" | "worker";

export interface PreflightMachine {
  name: string;
  /** SSH address: an IP address or a DNS name. */
  address: string;
  /** Address at which other nodes reach it. @default address */
  privateAddress?: string;
  role: MachineRole;
  facts: MachineFacts;
  /** Its kubelet is configured with `failSwapOn: false`. @default false */
  swapAllowed?: boolean;
  /**
   * The machine, identified by its machine-id, is already a node of this cluster, so that it uses ports and disk
   * itself.
   * @default false
   */
  instanceAlreadyMember?: boolean;
  /** Name of the node that the machine already is in this cluster, if its name in the configuration is another one. */
  memberAs?: string;
}

export interface Expectations {
  podCidr: string;
  serviceCidr: string;
  proxyMode: ProxyMode;
  /** @default containerd */
  runtime?: Runtime;
  /** Set if the cluster is built without kubeadm. */
  bootstrap?: "components";
  /** The API server's port. @default 6443 */
  apiPort?: number;
}

export interface Finding {
  machine: string;
  severity: "error" | "warning";
  /** The problem. */
  message: string;
  /** The user's next action. */
  action: string;
}

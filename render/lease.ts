import { quote } from "../common/quote";
import { template } from "./template";

/** How control planes take turns with a Lease of kube-system. */
export interface LeaseSettings {
  name: string;
  /** Seconds after which the Lease of a control plane that does not renew it is free. */
  duration: number;
  /** Seconds for which a control plane waits for the Lease of another one. */
  wait: number;
}

/** Renders the shell functions that take, renew and release the Lease. They use the variable `node`. */
export function leaseScript({ name, duration, wait }: LeaseSettings): string {
  return template("lease/lease.sh", { LEASE: quote(name), DURATION: String(duration), WAIT: String(wait) });
}

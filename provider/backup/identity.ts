import { PKI } from "../../render/component-paths";
import type { Remote } from "../ssh/remote";

/** Returns the SHA-256 of the cluster's CA certificate on a control plane, hex. */
export async function readCaHash(machine: Remote, signal: AbortSignal): Promise<string> {
  const { stdout } = await machine.read(`sha256sum < ${PKI}/ca.crt`, { step: "reading the cluster's CA", signal });
  return stdout.slice(0, 64);
}

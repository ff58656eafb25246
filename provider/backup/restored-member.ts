import { StepError } from "../../common/errors";
import { settleAll } from "../../common/settle-all";
import { MANIFESTS } from "../../render/component-paths";
import type { Remote } from "../ssh/remote";
import { BACKUP_FOLDER } from "../../render/backup/etcd-programs";

/** Folder for the manifests of a control plane that is stopped. */
export const HELD = `${BACKUP_FOLDER}/held-manifests`;

/** A control plane's member of etcd. */
export interface RestoredMember {
  machine: Remote;
  name: string;
  peerUrl: string;
}

/** Reads the name and the peer URL of a control plane's member from its manifest, also while it is stopped. */
export async function readMember(machine: Remote, signal: AbortSignal): Promise<RestoredMember> {
  const step = "reading the etcd member";
  const action = `restore ${MANIFESTS}/etcd.yaml, then run the command again`;
  const script = `cat ${MANIFESTS}/etcd.yaml 2>/dev/null || cat ${HELD}/etcd.yaml`;
  const { stdout } = await machine.read(script, { step, signal, action });
  const flag = (name: string) => new RegExp(`^\\s*- --${name}=(\\S+)\\s*$`, "m").exec(stdout)?.[1];
  const [name, peerUrl] = [flag("name"), flag("initial-advertise-peer-urls")];
  if (name !== undefined && peerUrl !== undefined) return { machine, name, peerUrl };
  throw new StepError({ step, machine: machine.label, cause: "its manifest has no name or no peer URL", action });
}

/**
 * Runs a script on all control planes, and returns once it has ended on each of them. Ctrl-C does not end it: a script
 * that goes on unobserved could move files after they were put back.
 */
export async function runOnMembers(
  members: readonly RestoredMember[],
  step: string,
  script: string,
): Promise<string[]> {
  const { signal } = new AbortController();
  const results = await settleAll(members.map(({ machine }) => machine.run(script, { step, signal })));
  return results.map(({ stdout }) => stdout.trim());
}

import { ApiServerFiles } from "../../sdk/kubernetes";
import type { ClusterMember } from "./member";
import type { MachineScope } from "./step";

/** Whether the flags of the API servers name files of Kubewright. */
export function hasApiServerFiles({ plan }: ClusterMember): boolean {
  return Object.keys(plan.apiServer.files).length > 0;
}

/** Writes the files that the flags of a control plane's API server name. */
export function writeApiServerFiles({ member, after }: MachineScope): ApiServerFiles {
  return new ApiServerFiles(
    member.resourceName("api-server-files"),
    { ...member.onMachine, files: member.plan.apiServer.files },
    member.options(member.groups.node, after),
  );
}

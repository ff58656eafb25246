import { AUDIT_FOLDER, type Audit, auditFlags, auditPolicy } from "./audit";
import { configHash } from "./json";
import type { HostPathMount } from "./kubeadm-types";
import { authenticationConfiguration, type OidcIssuer } from "./oidc";
import { admissionConfiguration, type PodSecurity } from "./pod-security";

/** Folder of the files that the flags of an API server name. It is mounted into its container. */
export const API_SERVER_FOLDER = "/etc/kubewright/apiserver";

/** Settings of the API servers that are files. */
export interface ApiServerSettings {
  audit?: Audit | undefined;
  podSecurity?: PodSecurity | undefined;
  oidc?: readonly OidcIssuer[] | undefined;
}

/** Files of the API servers, the flags that name them, and the folders that they need. */
export interface ApiServerFiles {
  /** Texts by path. */
  files: Record<string, string>;
  flags: Record<string, string>;
  volumes: HostPathMount[];
}

/**
 * Renders the files of the API servers. A path has a hash of the content: another content changes the flags, so that
 * the API server restarts and must prove healthy, and the file before is still there for the flags before.
 */
export function apiServerFiles({ audit, podSecurity, oidc = [] }: ApiServerSettings): ApiServerFiles {
  const files: Record<string, string> = {};
  const flags: Record<string, string> = {};
  const add = (name: string, content: string) => {
    const path = `${API_SERVER_FOLDER}/${name}-${configHash([content])}.yaml`;
    files[path] = content;
    return path;
  };
  if (audit) Object.assign(flags, auditFlags(audit, add("audit-policy", auditPolicy(audit))));
  if (podSecurity) flags["admission-control-config-file"] = add("admission", admissionConfiguration(podSecurity));
  if (oidc.length > 0) flags["authentication-config"] = add("authentication", authenticationConfiguration(oidc));
  const isUsed = Object.keys(files).length > 0;
  return { files, flags, volumes: [...(isUsed ? [SETTINGS_VOLUME] : []), ...(audit ? [AUDIT_VOLUME] : [])] };
}

const SETTINGS_VOLUME: HostPathMount = {
  name: "kubewright-apiserver",
  hostPath: API_SERVER_FOLDER,
  mountPath: API_SERVER_FOLDER,
  readOnly: true,
  pathType: "Directory",
};

const AUDIT_VOLUME: HostPathMount = {
  name: "audit-log",
  hostPath: AUDIT_FOLDER,
  mountPath: AUDIT_FOLDER,
  readOnly: false,
  pathType: "DirectoryOrCreate",
};

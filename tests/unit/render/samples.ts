import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { projectRoot } from "../../../common/project-root";
import type { ContainerdOptions } from "../../../render/containerd";
import type { MachineFacts } from "../../../render/facts";
import type { InitOptions, KubeadmNode } from "../../../render/kubeadm";
import type { GuardOptions } from "../../../render/guard";
import {
  guardFiles,
  type KubeletFilesOptions,
  kubeletFiles,
  type NodeFiles,
  runtimeFiles,
} from "../../../render/node-files";
import type { PreflightMachine } from "../../../render/preflight";

/** A machine without findings. */
export function facts(changes: Partial<MachineFacts> = {}): MachineFacts {
  return {
    osId: "debian",
    osVersion: "12",
    osFamily: "debian",
    arch: "amd64",
    kernel: "6.1.0-28-amd64",
    hostname: "cp-1",
    machineId: "id-1",
    bootId: "boot-1",
    cpus: 2,
    memoryMiB: 4096,
    swapMiB: 0,
    cgroupVersion: 2,
    capSysResource: true,
    conntrackWritable: true,
    root: true,
    addresses: ["10.77.0.21"],
    clockSkewSeconds: 0,
    diskMiB: 40960,
    diskFreeMiB: 20480,
    listeningPorts: [22],
    kubernetesState: "none",
    selinux: "none",
    firewall: "none",
    dockerConfigured: false,
    ...changes,
  };
}

/** The facts of a container on the test hosts. */
export const containerFacts = facts({ cgroupVersion: 1, capSysResource: false, conntrackWritable: false });

export function node(changes: Partial<KubeadmNode> = {}): KubeadmNode {
  return { name: "cp-1", address: "10.77.0.21", facts: facts(), imagesSideLoaded: false, ...changes };
}

export function initOptions(changes: Partial<InitOptions> = {}): InitOptions {
  return {
    kubernetesVersion: "1.36.3",
    node: node(),
    controlPlanes: 1,
    network: { podCidr: "10.244.0.0/16", serviceCidr: "10.10.0.0/16" },
    proxyMode: "nftables",
    ...changes,
  };
}

export function preflightMachine(
  changes: Partial<Omit<PreflightMachine, "facts">> & { facts?: Partial<MachineFacts> } = {},
): PreflightMachine {
  return { name: "cp-1", address: "10.77.0.21", role: "control-plane", ...changes, facts: facts(changes.facts) };
}

/** A worker that shares no value with `preflightMachine()`. */
export function preflightWorker(changes: Parameters<typeof preflightMachine>[0] = {}): PreflightMachine {
  const own = { hostname: "worker-1", machineId: "id-2", addresses: ["10.77.0.22"] };
  return preflightMachine({
    name: "worker-1",
    address: "10.77.0.22",
    role: "worker",
    ...changes,
    facts: { ...own, ...changes.facts },
  });
}

/**
 * Path of a golden file for `toMatchFileSnapshot`.
 * @throws Error when the file is missing and vitest runs without `-u`: vitest itself would write it, unless CI is set
 */
export function golden(name: string): string {
  const path = join(projectRoot(), "tests/golden", name);
  if (existsSync(path) || isUpdating()) return path;
  throw new Error(`tests/golden/${name} is missing; run vitest with -u to write it, and review it`);
}

/** Returns whether vitest runs with `-u`. */
export function isUpdating(): boolean {
  const { snapshotState } = expect.getState() as { snapshotState?: { snapshotUpdateState: string } };
  return snapshotState?.snapshotUpdateState === "all";
}

export interface NodeFilesOptions {
  runtime: ContainerdOptions;
  kubelet: KubeletFilesOptions;
  guard: GuardOptions;
}

/** Every file of a node before kubeadm runs, except the kernel settings. */
export function nodeFiles({ runtime, kubelet, guard }: NodeFilesOptions): NodeFiles {
  return { ...runtimeFiles(runtime), ...kubeletFiles(kubelet), ...guardFiles(guard) };
}

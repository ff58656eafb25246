import type { WrittenConfig } from "./schema";
import { type ClusterConfig, type ConfigSurroundings, type CrossProblem, hostPath, sshHosts } from "./types";

export function etcdQuorum({ controlPlane: { count } }: ClusterConfig): CrossProblem[] {
  if (count % 2 === 1 || count === 0) return [];
  return [{
    path: "controlPlane.count",
    reason: `${count} control planes are an even number of etcd members, which survive no more failures than ${count - 1}`,
    action: `use ${count - 1} or ${count + 1}`,
  }];
}

export function hostCounts(config: ClusterConfig, _: ConfigSurroundings, asWritten: WrittenConfig): CrossProblem[] {
  if (config.machines.kind !== "ssh") return [];
  const roles = { controlPlane: "control-plane", workers: "worker" } as const;
  const found = (["controlPlane", "workers"] as const).flatMap((pool): CrossProblem[] => {
    const [written, listed] = [asWritten[pool].count, sshHosts(config).filter(({ role }) => role === roles[pool]).length];
    if (written === undefined || written === listed) return [];
    return [{ path: `${pool}.count`, reason: `is ${written}, but machines.ssh.hosts lists ${listed} with role ${roles[pool]}`, action: "leave it out, or change the list", about: ["machines"] }];
  });
  if (config.controlPlane.count > 0) return found;
  return [...found, { path: "machines.ssh.hosts", reason: "has no control plane", action: "give one host role: control-plane" }];
}

export function hostsTwice(config: ClusterConfig): CrossProblem[] {
  const hosts = sshHosts(config);
  return hosts.flatMap((host, index) => {
    const earlier = hosts.slice(0, index);
    const sameName = earlier.findIndex(({ name }) => name === host.name);
    const sameAddress = earlier.findIndex((other) => (other.privateAddress ?? other.host) === (host.privateAddress ?? host.host));
    const found: CrossProblem[] = [];
    if (sameName >= 0) found.push({ path: `${hostPath(index)}.name`, reason: `${host.name} is the name of ${hostPath(sameName)} too`, action: "give each machine its own name" });
    if (sameAddress >= 0) found.push(addressTwice(index, sameAddress, host));
    return found;
  });
}

function addressTwice(index: number, first: number, host: { host: string; privateAddress?: string }): CrossProblem {
  const property = host.privateAddress === undefined ? "host" : "privateAddress";
  return {
    path: `${hostPath(index)}.${property}`,
    reason: `${host[property] ?? ""} is the address of ${hostPath(first)} too`,
    action: "give each machine its own; behind one address with several ports, set each one's privateAddress",
  };
}

export function keyFiles(config: ClusterConfig, { fileExists }: ConfigSurroundings): CrossProblem[] {
  return sshHosts(config).flatMap(({ privateKeyPath }, index) => fileExists(privateKeyPath) ? [] : [{
    path: `${hostPath(index)}.privateKeyPath`, reason: `there is no file ${privateKeyPath}`, action: "give the path of the private key on this computer",
  }]);
}

import * as pulumi from "@pulumi/pulumi";
import { optional } from "../../common/optional";
import { apiName } from "../../render/api-balancer";
import { firewallRules } from "../../render/firewall";
import { kernelModules, kernelSysctls } from "../../render/kernel";
import {
  BALANCER_PACKAGE,
  type BinaryPlan,
  VIP_PACKAGE,
  nodeBinaries,
  requiredPackages,
  sshClientPackages,
} from "../../render/node-contents";
import { guardProbe } from "../../render/guard";
import { KUBELET_CONFIGURATION } from "../../render/kubelet";
import { guardFiles, kubeletFiles, octal } from "../../render/node-files";
import { criSocket } from "../../render/runtime";
import { reaches } from "../../render/rung";
import { KUBELET_KUBECONFIG } from "../../render/standalone-kubelet";
import { Binaries, Firewall, Hosts, Kernel, Packages, Unit } from "../../sdk/host";
import { type Machine, controllerArch, nodeAddress } from "../machines/machine";
import { hasVirtualAddress } from "./api-vip";
import { backsUpBySftp } from "./backup-timer";
import { hasServingCertificates, servingAddresses } from "./kubelet-serving";
import { type ClusterMember, controlPlaneConnections } from "./member";
import type { MachineScope } from "./step";

export function installPackages({ member, after }: MachineScope): Packages {
  const { host, onMachine, plan } = member;
  const extras = [
    ...(plan.components === undefined ? [BALANCER_PACKAGE] : []),
    ...(hasVirtualAddress(member) ? [VIP_PACKAGE] : []),
  ];
  const unusedServices = extras.flatMap((extra) => extra.unusedServices);
  return new Packages(
    member.resourceName("packages"),
    {
      ...onMachine,
      osFamily: host.facts.osFamily,
      packages: host.facts.apply((facts) => [
        ...requiredPackages(facts),
        ...extras.map(({ name }) => name),
        ...(backsUpBySftp(member) ? sshClientPackages(facts) : []),
      ]),
      ...optional({ unusedServices: extras.length > 0 ? unusedServices : undefined }),
    },
    setupOptions(member, after),
  );
}

export function configureKernel({ member, after }: MachineScope): Kernel {
  return new Kernel(
    member.resourceName("kernel"),
    {
      ...member.onMachine,
      modules: [...kernelModules],
      sysctls: member.host.facts.apply(kernelSysctls),
      swapOff: member.settings.kubelet?.failSwapOn !== false,
    },
    setupOptions(member, after),
  );
}

export function installBinaries({ member, after }: MachineScope): Binaries {
  const { files, sources } = binariesOf(member);
  return new Binaries(
    member.resourceName("binaries"),
    { ...member.onMachine, files, sources, staged: STAGED },
    setupOptions(member, after),
  );
}

/** The kubelet of a member is replaced by its `Node`, after the control planes and after a drain. */
const STAGED = { paths: ["/usr/local/bin/kubelet"], whileExists: KUBELET_KUBECONFIG };

/** A unit that keeps packets to pods of other nodes from leaving by the default route. */
export function installGuard({ member, after }: MachineScope): Unit {
  return new Unit(
    member.resourceName("guard"),
    {
      ...member.onMachine,
      unit: "kubewright-guard.service",
      files: octal(guardFiles(member.plan.network)),
      enabled: true,
      running: true,
      probe: guardProbe(member.plan.network),
    },
    setupOptions(member, after),
  );
}

export function openFirewall({ member, after }: MachineScope): Firewall {
  const { role, plan } = member;
  return new Firewall(
    member.resourceName("firewall"),
    { ...member.onMachine, ...firewallRules({ ...plan.network, role }) },
    setupOptions(member, after),
  );
}

/**
 * Writes the names of all machines to /etc/hosts, and that of the API server, which leads to this node. No step needs
 * it: during a rolling update, a machine that waits for its turn has no address before this machine's node is Ready.
 */
export function writeHosts({ member, after }: MachineScope): Hosts {
  const { members, name, components } = member.plan;
  const machines = Object.fromEntries(members.map(({ machine }) => [machine.name, nodeAddress(machine)]));
  const entries = components ? machines : { ...machines, [apiName(name)]: "127.0.0.1" };
  return new Hosts(member.resourceName("hosts"), { ...member.onMachine, entries }, setupOptions(member, after));
}

/**
 * The kubelet's unit. kubeadm starts the kubelet itself, by writing its configuration; without kubeadm it starts
 * immediately.
 */
export function installKubelet({ member, after }: MachineScope): Unit {
  const { settings, plan, kubeletVersion, host, address, name } = member;
  const { runtime, components } = plan;
  const files = pulumi.all([host.facts, address]).apply(([facts, nodeIp]) =>
    octal(
      kubeletFiles({
        version: kubeletVersion,
        settings: settings.kubelet ?? {},
        extraArgs: settings.kubeletArgs ?? {},
        runtime,
        facts,
        nodeIp,
        requestsCertificate: hasServingCertificates(member),
        ...optional({ standalone: components && { criSocket: criSocket(runtime), nodeName: name } }),
      }),
    ),
  );
  return new Unit(
    member.resourceName("kubelet"),
    {
      ...member.onMachine,
      unit: "kubelet.service",
      files,
      enabled: true,
      running: true,
      ...optional({ startWhenExists: components ? undefined : KUBELET_CONFIGURATION }),
      restartOn: { kubelet: binariesOf(member).hashes.kubelet },
      ...optional({ keepsProgram: isJoined(member) || undefined }),
      // A control plane asks its own API server, so that its kubelet does not wait for the other control planes.
      node: {
        name,
        controlPlanes: member.isControlPlane ? [member.connection] : controlPlaneConnections(plan),
        ...optional({ servingAddresses: servingAddresses(member) }),
      },
    },
    setupOptions(member, after),
  );
}

/** Whether the kubelet becomes a node, whose `Node` replaces it in an upgrade. Not so on the ladder's first rungs. */
function isJoined({ plan: { components } }: ClusterMember): boolean {
  return components === undefined || reaches(components.rung ?? "dns", "apiserver");
}

/** Paths and SHA-256 of the node's binaries. The kubelet may be older than the others. */
export function binariesOf(member: ClusterMember): pulumi.Output<BinaryPlan> {
  const { artifacts, kubeletArtifacts, plan, host } = member;
  return pulumi
    .all([artifacts.binaries, kubeletArtifacts.binaries, host.facts])
    .apply(([binaries, { kubelet }, { arch }]) =>
      planBinaries({ machine: member.machine, arch, binaries: { ...binaries, kubelet }, runtime: plan.runtime }),
    );
}

interface BinaryRequest {
  machine: Pick<Machine, "name" | "arch">;
  /** The architecture that the machine has. */
  arch: string;
  binaries: Parameters<typeof nodeBinaries>[0];
  runtime: Parameters<typeof nodeBinaries>[1];
}

/**
 * The architecture of the binaries is chosen before the machine can be asked for its own.
 * @throws pulumi.RunError if the machine has another one.
 */
export function planBinaries({ machine, arch, binaries, runtime }: BinaryRequest): BinaryPlan {
  const { name, arch: assumed = controllerArch() } = machine;
  if (arch === assumed) return nodeBinaries(binaries, runtime);
  throw new pulumi.RunError(`${name}: the machine is ${arch}, not ${assumed}; set arch: ${arch} for this machine`);
}

/** Options of a resource that prepares the machine. */
export function setupOptions(member: ClusterMember, after: pulumi.Resource[]): pulumi.CustomResourceOptions {
  return member.options(member.groups.setup, after);
}

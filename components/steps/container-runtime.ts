import * as pulumi from "@pulumi/pulumi";
import { optional } from "../../common/optional";
import { mirrorAllRegistries, type RegistryMirror } from "../../render/containerd";
import { enginePackages } from "../../render/docker";
import { criDockerdFiles, engineFiles, octal, runtimeFiles } from "../../render/node-files";
import { Packages, Unit } from "../../sdk/host";
import type { Artifacts } from "../../sdk/local";
import type { ClusterMember } from "./member";
import { binariesOf, setupOptions } from "./node-preparation";
import type { MachineScope } from "./step";

/** Folder in which a runtime reads the configuration of the pod network. containerd creates it. */
const NETWORK_FOLDER = "/etc/cni";
/** Folders in which containerd keeps images, containers, plugins and sockets, and that of the pod network. */
const CONTAINERD_STATE = [...["/var/lib/containerd", "/opt/containerd", "/run/containerd", "/run/nri"], NETWORK_FOLDER];

/** Installs and starts the container runtime. Returns the unit that answers the kubelet. */
export function installRuntime(scope: MachineScope): Unit {
  return scope.member.plan.runtime === "docker" ? installDocker(scope) : installContainerd(scope);
}

function installContainerd({ member, after }: MachineScope): Unit {
  const { host, artifacts, onMachine, settings } = member;
  const files = pulumi
    .all([host.facts, artifacts.refs, registryMirrors(artifacts)])
    .apply(([facts, refs, mirrors]) =>
      octal(runtimeFiles({ facts, pauseImage: refs.pause, mirrors, ...optional({ settings: settings.containerd }) })),
    );
  const restartOn = binariesOf(member).hashes.apply(({ containerd = "", runc = "" }) => ({ containerd, runc }));
  return new Unit(
    member.resourceName("containerd"),
    {
      ...onMachine,
      unit: "containerd.service",
      files,
      enabled: true,
      running: true,
      restartOn,
      state: CONTAINERD_STATE,
    },
    setupOptions(member, after),
  );
}

/**
 * Installs Docker Engine and cri-dockerd. The engine starts with its package, so the kernel must be configured
 * before.
 */
function installDocker({ member, after }: MachineScope): Unit {
  const { artifacts, onMachine } = member;
  const daemon = new Unit(
    member.resourceName("docker"),
    {
      ...onMachine,
      unit: "docker.service",
      files: registryMirrors(artifacts).apply((mirrors) => octal(engineFiles({ mirrors }))),
      enabled: true,
      running: true,
    },
    setupOptions(member, [installEngine(member, after)]),
  );
  return new Unit(
    member.resourceName("cri-dockerd"),
    {
      ...onMachine,
      unit: "cri-docker.service",
      files: artifacts.refs.apply(({ pause }) => octal(criDockerdFiles({ pauseImage: pause }))),
      enabled: true,
      running: true,
      restartOn: binariesOf(member).hashes.apply((hashes) => ({ "cri-dockerd": hashes["cri-dockerd"] ?? "" })),
      state: ["/var/lib/cri-dockerd", NETWORK_FOLDER],
    },
    setupOptions(member, [daemon]),
  );
}

function installEngine(member: ClusterMember, after: pulumi.Resource[]): Packages {
  const { facts } = member.host;
  return new Packages(
    member.resourceName("engine"),
    {
      ...member.onMachine,
      osFamily: facts.osFamily,
      packages: facts.apply(enginePackages),
      unlessProgram: "dockerd",
    },
    setupOptions(member, after),
  );
}

function registryMirrors({ images }: Artifacts): pulumi.Output<RegistryMirror[]> {
  return images.apply((source) =>
    source.kind === "pull" && source.registryMirror !== undefined ? mirrorAllRegistries(source.registryMirror) : [],
  );
}

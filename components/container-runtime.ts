import * as pulumi from "@pulumi/pulumi";
import type { Runtime } from "../common/runtime";
import { Packages, Unit, type Host } from "../sdk/host";
import type { OnMachineArgs } from "../sdk/connection";
import type { Artifacts } from "../sdk/local";
import { everyRegistry, type RegistryMirror } from "../render/containerd";
import { enginePackages } from "../render/docker";
import type { NodeBinary } from "../render/node-contents";
import { criDockerdFiles, engineFiles, octal, runtimeFiles } from "../render/node-files";

export interface ContainerRuntimeArgs extends OnMachineArgs {
  runtime: Runtime;
  host: Host;
  artifacts: Artifacts;
  /** SHA-256 of the node's binaries by name: a new one restarts what runs it. */
  hashes: pulumi.Output<Partial<Record<NodeBinary, string>>>;
}

/** What runs containers on a machine. @returns the unit that answers the kubelet */
export function containerRuntime(
  name: string,
  args: ContainerRuntimeArgs,
  options: pulumi.CustomResourceOptions,
): Unit {
  return args.runtime === "docker" ? docker(name, args, options) : containerd(name, args, options);
}

function containerd(
  name: string,
  { host, artifacts, hashes, connection, instance }: ContainerRuntimeArgs,
  options: pulumi.CustomResourceOptions,
): Unit {
  const files = pulumi
    .all([host.facts, artifacts.refs, mirrorsOf(artifacts)])
    .apply(([facts, refs, mirrors]) => octal(runtimeFiles({ facts, pauseImage: refs.pause, mirrors })));
  const restartOn = hashes.apply(({ containerd: daemon = "", runc = "" }) => ({ containerd: daemon, runc }));
  return new Unit(
    `${name}-containerd`,
    { connection, instance, unit: "containerd.service", files, enabled: true, running: true, restartOn },
    options,
  );
}

/** Docker Engine and cri-dockerd. The engine starts with its package, so the kernel must be ready before. */
function docker(
  name: string,
  { host, artifacts, hashes, connection, instance }: ContainerRuntimeArgs,
  options: pulumi.CustomResourceOptions,
): Unit {
  const unit = { connection, instance, enabled: true, running: true };
  const { osFamily } = host.facts;
  const packages = host.facts.apply(enginePackages);
  const engine = new Packages(
    `${name}-engine`,
    { connection, instance, osFamily, packages, unlessProgram: "dockerd" },
    options,
  );
  const engineConfiguration = mirrorsOf(artifacts).apply((mirrors) => octal(engineFiles({ mirrors })));
  const daemon = new Unit(
    `${name}-docker`,
    { ...unit, unit: "docker.service", files: engineConfiguration },
    { ...options, dependsOn: [engine] },
  );
  return new Unit(
    `${name}-cri-dockerd`,
    {
      ...unit,
      unit: "cri-docker.service",
      files: artifacts.refs.apply(({ pause }) => octal(criDockerdFiles({ pauseImage: pause }))),
      restartOn: hashes.apply((all) => ({ "cri-dockerd": all["cri-dockerd"] ?? "" })),
      state: ["/var/lib/cri-dockerd"],
    },
    { ...options, dependsOn: [daemon] },
  );
}

function mirrorsOf({ images }: Artifacts): pulumi.Output<RegistryMirror[]> {
  return images.apply((all) =>
    all.kind === "pull" && all.registryMirror !== undefined ? everyRegistry(all.registryMirror) : [],
  );
}

import * as pulumi from "@pulumi/pulumi";
import { optional } from "../../common/optional";
import type { ComponentName } from "../../render/components/arguments";
import { HEALTH, componentPod } from "../../render/components/static-pod";
import { binaryPath, componentUnit } from "../../render/components/unit";
import type { Args } from "../../render/kubeadm-args";
import { pullPolicy } from "../../render/kubeadm";
import { Binaries, type FileArgs, type HealthArgs, StaticPod, Unit } from "../../sdk/host";
import type { Artifacts } from "../../sdk/local";
import type { ClusterMember } from "../steps/member";

export type TextFiles = Record<string, FileArgs>;

export interface ComponentRun {
  flags: pulumi.Input<Args>;
  /** Files that the component reads; a change restarts it. */
  files: TextFiles;
  /** Folders of data that are deleted together with the component. */
  state?: string[];
  after: pulumi.Resource[];
  parent: pulumi.Resource;
}

type HealthyRun = ComponentRun & { health: HealthArgs };

/** Starts a component of the control plane on its machine, and waits until it is healthy. */
export function runComponent(name: ComponentName, member: ClusterMember, run: ComponentRun): pulumi.CustomResource {
  const { scheme, port, ready } = HEALTH[name];
  const health = { scheme, port, path: ready, timeout: member.plan.timeouts.init };
  return member.plan.components?.runAs === "systemd"
    ? runService(name, member, { ...run, health })
    : runPod(name, member, { ...run, health });
}

/** Runs the component as a static pod of the machine's kubelet. */
function runPod(name: ComponentName, member: ClusterMember, run: HealthyRun): StaticPod {
  const { flags, files, state = [], after, parent, health } = run;
  const { artifacts } = member;
  const manifest = pulumi
    .all([artifacts.refs, artifacts.images, flags, member.address])
    .apply(([refs, images, args, address]) =>
      componentPod({
        name,
        image: imageOf(name, refs),
        imagePullPolicy: pullPolicy(images.kind === "archives"),
        args,
        address,
      }),
    );
  return new StaticPod(
    member.resourceName(name),
    { ...member.onMachine, node: member.name, manifest, files, health, state, kubernetes: member.plan.version },
    member.options(parent, after),
  );
}

/** Runs the component as a systemd unit, from its binary. */
function runService(name: ComponentName, member: ClusterMember, run: HealthyRun): Unit {
  const { flags, files, state, after, parent, health } = run;
  const binary = binaryOf(name, member);
  const installed = new Binaries(
    member.resourceName(`${name}-binary`),
    {
      ...member.onMachine,
      files: { [binaryPath(name)]: binary.sha256 },
      sources: binary.apply(({ path, sha256 }) => ({ [sha256]: path })),
    },
    member.options(parent, after),
  );
  const unit = { content: pulumi.output(flags).apply((args) => componentUnit(name, args)), mode: "0644" };
  return new Unit(
    member.resourceName(name),
    {
      ...member.onMachine,
      unit: `${name}.service`,
      files: { ...files, [`/etc/systemd/system/${name}.service`]: unit },
      enabled: true,
      running: true,
      restartOn: { binary: binary.sha256 },
      kubernetes: member.plan.version,
      health,
      ...optional({ state }),
    },
    member.options(parent, [installed, ...after]),
  );
}

function binaryOf(name: ComponentName, { artifacts }: ClusterMember): pulumi.Output<{ path: string; sha256: string }> {
  return artifacts.binaries.apply((binaries) => {
    const binary = binaries[name];
    if (binary) return binary;
    throw new pulumi.RunError(
      `controlPlane.runAs: the source has no binary of ${name}, only its image; ` +
        "set controlPlane.runAs: static-pods, or source: modules",
    );
  });
}

function imageOf(name: ComponentName, refs: pulumi.Unwrap<Artifacts["refs"]>): string {
  const images: Record<ComponentName, string> = {
    etcd: refs.etcd,
    "kube-apiserver": refs.apiserver,
    "kube-scheduler": refs.scheduler,
    "kube-controller-manager": refs.controllerManager,
  };
  return images[name];
}

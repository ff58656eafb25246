import * as pulumi from "@pulumi/pulumi";
import { Binaries, type FileArgs, type HealthArgs, StaticPod, Unit } from "../../sdk/host";
import type { Artifacts } from "../../sdk/local";
import type { ComponentName } from "../../render/components/arguments";
import { HEALTH, componentPod } from "../../render/components/static-pod";
import { binaryPath, componentUnit } from "../../render/components/unit";
import type { Args } from "../../render/kubeadm-args";
import { pullPolicy } from "../../render/kubeadm";
import type { RunAs } from "../../render/rung";
import { nodeAddress } from "../machines/machine";
import type { MemberArgs } from "../cluster-member";

export type Files = Record<string, FileArgs>;

export interface RunArgs {
  runAs: RunAs;
  flags: pulumi.Input<Args>;
  /** What it reads; a change starts it anew. */
  files: Files;
  /** Folders that go with it. */
  state?: string[];
  after: pulumi.Resource[];
  parent: pulumi.Resource;
}

/** A component of the control plane on its machine: started, and well. */
export function runComponent(name: ComponentName, member: MemberArgs, args: RunArgs): pulumi.CustomResource {
  const { live: _, ready, ...where } = HEALTH[name];
  const health = { ...where, path: ready, timeout: member.timeouts.init };
  return args.runAs === "systemd"
    ? runService(name, member, { ...args, health })
    : runPod(name, member, { ...args, health });
}

function runPod(
  name: ComponentName,
  member: MemberArgs,
  { flags, files, state = [], after, parent, health }: RunArgs & { health: HealthArgs },
): StaticPod {
  const { machine, artifacts } = member;
  const manifest = pulumi
    .all([artifacts.refs, artifacts.images, flags, nodeAddress(machine)])
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
    `${machine.name}-${name}`,
    { ...onHost(member), node: machine.name, manifest, files, health, state },
    place(member, after, parent),
  );
}

/** A component as a service of systemd, from its binary. */
function runService(
  name: ComponentName,
  member: MemberArgs,
  { flags, files, state = [], after, parent, health }: Omit<RunArgs, "runAs"> & { health: HealthArgs },
): Unit {
  const { machine, artifacts } = member;
  const binary = artifacts.binaries.apply((binaries) => {
    const found = binaries[name];
    if (!found)
      throw new pulumi.RunError(
        `controlPlane.runAs: the source has no binary of ${name}, only its image; use static-pods, or source: modules`,
      );
    return found;
  });
  const installed = new Binaries(
    `${machine.name}-${name}-binary`,
    {
      ...onHost(member),
      files: { [binaryPath(name)]: binary.sha256 },
      sources: binary.apply(({ path, sha256 }) => ({ [sha256]: path })),
    },
    place(member, after, parent),
  );
  const unit = { content: pulumi.output(flags).apply((known) => componentUnit(name, known)), mode: "0644" };
  return new Unit(
    `${machine.name}-${name}`,
    {
      ...onHost(member),
      unit: `${name}.service`,
      files: { ...files, [`/etc/systemd/system/${name}.service`]: unit },
      enabled: true,
      running: true,
      restartOn: { binary: binary.sha256 },
      health,
      state,
    },
    place(member, [installed, ...after], parent),
  );
}

export function onHost({ connection, host }: MemberArgs) {
  return { connection, instance: host.instance };
}

/** Nothing on a machine is undone where the machine itself goes. */
export function place(
  { machine }: MemberArgs,
  dependsOn: pulumi.Resource[],
  parent: pulumi.Resource,
): pulumi.CustomResourceOptions {
  return { parent, dependsOn, ...(machine.madeBy ? { deletedWith: machine.madeBy } : {}) };
}

function imageOf(name: ComponentName, refs: pulumi.Unwrap<Artifacts["refs"]>): string {
  return {
    etcd: refs.etcd,
    "kube-apiserver": refs.apiserver,
    "kube-scheduler": refs.scheduler,
    "kube-controller-manager": refs.controllerManager,
  }[name];
}

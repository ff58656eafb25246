import { optional } from "../../common/optional";
import { DEFAULT_RUNTIME } from "../../common/runtime";
import { Images } from "../../sdk/host";
import type { ClusterMember } from "./member";
import { setupOptions } from "./node-preparation";
import type { MachineScope } from "./step";

type ImageSet = "worker" | "controlPlane";

/** Whether the control plane runs as pods on the machine, whose images must be there before it starts. */
export function runsControlPlanePods({ isControlPlane, plan }: ClusterMember): boolean {
  return isControlPlane && plan.components?.runAs !== "systemd";
}

/** Images of the control plane's own pods. */
export function loadControlPlaneImages({ member, after }: MachineScope): Images {
  return loadImages(member.resourceName("control-plane-images"), "controlPlane", { member, after });
}

/** Images that every node needs to become Ready. On a control plane they are loaded while it starts. */
export function loadNodeImages({ member, after }: MachineScope): Images {
  return loadImages(member.resourceName("images"), "worker", { member, after });
}

/** Copies the images to the machine if the cache has them as an archive; otherwise the machine pulls them. */
function loadImages(name: string, set: ImageSet, { member, after }: MachineScope): Images {
  const { artifacts, onMachine, plan } = member;
  const contents = artifacts.images.apply((images) => {
    if (images.kind === "pull") return { archives: {}, sources: {}, pull: images[set] };
    // Images of examples and tests are loaded with the node's, so that a rebuilt node has them too.
    const archives = { [set]: images[set], ...optional({ extras: set === "worker" ? images.extras : undefined }) };
    return {
      archives: mapValues(archives, ({ sha256, refs }) => ({ sha256, refs })),
      sources: Object.fromEntries(Object.values(archives).map(({ sha256, path }) => [sha256, path])),
      pull: [],
    };
  });
  return new Images(
    name,
    {
      ...onMachine,
      ...optional({ runtime: plan.runtime === DEFAULT_RUNTIME ? undefined : plan.runtime }),
      archives: contents.archives,
      sources: contents.sources,
      pull: contents.pull,
    },
    setupOptions(member, after),
  );
}

function mapValues<T, U>(record: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

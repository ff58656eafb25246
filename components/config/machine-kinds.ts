import { awsKind } from "../machines/clouds/aws";
import { digitaloceanKind } from "../machines/clouds/digitalocean";
import { hetznerKind } from "../machines/clouds/hetzner";
import { dockerKind } from "../machines/docker";
import type { AnyKind } from "../machines/kind";
import { sshKind } from "../machines/ssh";
import { vagrantKind } from "../machines/vagrant";

/** All kinds of machines. The first one is the default. */
export const KINDS: readonly AnyKind[] = [dockerKind, sshKind, vagrantKind, hetznerKind, digitaloceanKind, awsKind];

export const KIND_NAMES = KINDS.map(({ name }) => name);

/** @throws Error for a name that the configuration's schema does not accept. */
export function kindNamed(name: string): AnyKind {
  const kind = KINDS.find((each) => each.name === name);
  if (!kind) throw new Error(`there is no machine kind ${name}; the kinds are ${KIND_NAMES.join(", ")}`);
  return kind;
}

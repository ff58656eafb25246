import { awsKind } from "./clouds/aws";
import { digitaloceanKind } from "./clouds/digitalocean";
import { hetznerKind } from "./clouds/hetzner";
import { dockerKind } from "./docker";
import type { AnyKind } from "./kind";
import { sshKind } from "./ssh";
import { vagrantKind } from "./vagrant";

/** Every kind of machine; the first is the one that a configuration has without saying. */
export const KINDS: readonly AnyKind[] = [dockerKind, sshKind, vagrantKind, hetznerKind, digitaloceanKind, awsKind];

export const KIND_NAMES = KINDS.map(({ name }) => name);

/** @throws Error for a name that the schema would have refused */
export function kindNamed(name: string): AnyKind {
  const found = KINDS.find((kind) => kind.name === name);
  if (!found) throw new Error(`there is no machine kind ${name}: ${KIND_NAMES.join(", ")}`);
  return found;
}

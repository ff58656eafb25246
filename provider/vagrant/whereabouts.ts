import { hostname } from "node:os";
import { StepError } from "../../common/errors";
import { localPath } from "../../common/portable-path";
import type { VagrantProvider } from "../../render/vagrantfile";
import { VagrantFolder } from "./folder";

/** A machine of Vagrant as the state records it. */
export interface RecordedVagrantMachine {
  /** Folder of the Vagrantfile, as a portable path. */
  folder: string;
  hostname: string;
  provider: VagrantProvider;
  /** The computer whose Vagrant has the machine. States of earlier versions do not name it. */
  computer?: string | undefined;
}

/** Returns the name of this computer, without the domain, which changes with the network of a laptop. */
export function thisComputer(): string {
  return hostname().split(".")[0] || "localhost";
}

/**
 * Whether the Vagrant of this computer would know the machine if it existed. Vagrant reports a machine as not created
 * where its data is missing: on another computer, and in another clone of the project. That proves nothing.
 */
export function isVagrantsHere({ folder, hostname: name, provider, computer }: RecordedVagrantMachine): boolean {
  if (computer !== undefined && computer !== thisComputer()) return false;
  return new VagrantFolder(localPath(folder)).hasDataOf({ name, provider });
}

/** Explains where the machine is, which this computer's Vagrant does not know: `worker-1 is a machine of ...`. */
export function describeWhereabouts({ folder, computer }: RecordedVagrantMachine): string {
  const place = computer === undefined ? "the computer that created it" : `the computer ${computer}`;
  return `Vagrant has it on ${place}, and no data of it in ${localPath(folder)} on ${thisComputer()}`;
}

/** The error of a change to a machine that this computer's Vagrant does not know: it might create a second one. */
export function notHere(step: string, recorded: RecordedVagrantMachine): StepError {
  const { hostname: machine, computer = "the computer that created it" } = recorded;
  return new StepError({
    step,
    machine,
    cause: describeWhereabouts(recorded),
    action:
      `run this command on ${computer}, in the folder of the project there; if the machine will not come back, run ` +
      `\`pulumi config set --path 'kubewright:recovery.abandoned[0]' ${machine}\`, and then this command again`,
  });
}

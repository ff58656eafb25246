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

/** Explains where the machine may be, which this computer's Vagrant does not know. */
export function describeWhereabouts({ folder, computer }: RecordedVagrantMachine): string {
  const data = `no data of it in ${localPath(folder)} on ${thisComputer()}`;
  if (computer === thisComputer())
    return `Vagrant has ${data}: another clone of the project has the machine, or it was destroyed`;
  const place = computer === undefined ? "the computer that created it" : `the computer ${computer}`;
  return `Vagrant has it on ${place}, and ${data}`;
}

/** The error of a start of a machine that this computer's Vagrant does not know: it might create a second one. */
export function notStartedHere(recorded: RecordedVagrantMachine): StepError {
  return errorOf("vagrant up", recorded, whereToRun(recorded));
}

/** The error of a destroy of a machine that this computer's Vagrant does not know: it may still run. */
export function notDestroyedHere(recorded: RecordedVagrantMachine): StepError {
  const action =
    `${whereToRun(recorded)}; if the machine was destroyed or will not come back, run ` +
    `\`pulumi config set --path 'kubewright:recovery.abandoned[0]' ${recorded.hostname}\`, and then this command again`;
  return errorOf("vagrant destroy", recorded, action);
}

function whereToRun({ computer = "the computer that created it" }: RecordedVagrantMachine): string {
  return computer === thisComputer()
    ? "run this command in the clone of the project that has it"
    : `run this command on ${computer}, in the folder of the project there`;
}

function errorOf(step: string, recorded: RecordedVagrantMachine, action: string): StepError {
  return new StepError({ step, machine: recorded.hostname, cause: describeWhereabouts(recorded), action });
}

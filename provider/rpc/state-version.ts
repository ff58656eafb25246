import { Struct, Value } from "google-protobuf/google/protobuf/struct_pb";
import { CheckResponse, type CheckRequest } from "@pulumi/pulumi/proto/provider_pb";
import { StepError, messageOf } from "../../common/errors";
import { failuresOf } from "./check";
import { decode } from "./values";

/**
 * Version of the form of states. Raise it with a change that an older Kubewright would misread. Every version reads the
 * states of all older ones: their forms are optional in the contracts.
 *
 * Version 2 has no path of one computer, and `local:SshKey` has the private key as a secret. The first `up` with a
 * state of version 1 updates `local:SshKey`, `local:Artifacts`, `local:Kubeconfig` and the resources of Vagrant's
 * machines, and nothing on a machine.
 */
export const STATE_VERSION = 2;

/** The setting of the provider that has the version. The engine keeps settings in the state of the provider. */
const SETTING = "stateVersion";

/**
 * Refuses a state that a newer Kubewright wrote. This one would misread it, and delete what it does not know.
 * @param settings settings of the provider in the state; without a version if no or an older Kubewright wrote it
 * @throws StepError
 */
export function assertReadableState(settings: Readonly<Record<string, unknown>>): void {
  const recorded = Number(settings[SETTING] ?? 0);
  if (recorded <= STATE_VERSION) return;
  throw new StepError({
    step: "reading the state",
    cause:
      `a newer version of Kubewright wrote the state of this stack (state version ${recorded}); ` +
      `this one reads versions up to ${STATE_VERSION}`,
    action: "use that version of Kubewright or a newer one, such as `npm install kubewright@latest`",
  });
}

/** Answers CheckConfig with the settings that the state records, or refuses the state that has the recorded ones. */
export function checkSettings(request: CheckRequest): CheckResponse {
  const response = new CheckResponse();
  try {
    assertReadableState(decode(request.getOlds()));
    response.setInputs(withStateVersion(request.getNews()));
  } catch (error) {
    response.setFailuresList(failuresOf([{ path: "", reason: messageOf(error) }]));
  }
  return response;
}

/** Adds this version to the settings that the state records. */
function withStateVersion(settings: Struct | undefined): Struct {
  const versioned = settings?.clone() ?? new Struct();
  const version = new Value();
  version.setStringValue(String(STATE_VERSION));
  versioned.getFieldsMap().set(SETTING, version);
  return versioned;
}

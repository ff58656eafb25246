import type { EngineEvent } from "@pulumi/pulumi/automation";
import { expect, test } from "vitest";
import { Diagnostics } from "../../../../cli/terminal/diagnostics";

const urnOf = (name: string) => `urn:pulumi:dev::kubewright::kubewright:index:Host::${name}`;
function collect(...events: readonly { urn?: string; severity: string; message: string; ephemeral?: boolean }[]) {
  const diagnostics = new Diagnostics();
  for (const event of events) diagnostics.onEvent({ diagnosticEvent: event } as unknown as EngineEvent);
  return diagnostics;
}

test("warnings name their resource; a repeated one and status lines are left out", () => {
  const warning = { urn: urnOf("worker-1"), severity: "warning", message: "<{%fg 3%}>was rebooted<{%reset%}>\n" };
  const other = { ...warning, urn: urnOf("worker-2") };
  const { warnings } = collect(warning, warning, other, { ...warning, message: "waits", ephemeral: true });
  expect(warnings).toEqual([
    { resource: "Host worker-1", text: "was rebooted" },
    { resource: "Host worker-2", text: "was rebooted" },
  ]);
});

test("failures of resources with the same cause share one entry", () => {
  const error = { urn: urnOf("worker-1"), severity: "error", message: "does not respond" };
  const { failures } = collect(error, error, { ...error, urn: urnOf("worker-2") });
  expect(failures).toEqual(["Host worker-1: does not respond\n  1 other resource failed with the same error"]);
});

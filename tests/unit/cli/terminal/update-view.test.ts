import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";
import { beforeEach, expect, test } from "vitest";
import { plainScreen } from "../../../../cli/terminal/screen";
import { UpdateView } from "../../../../cli/terminal/update-view";

const URN = "urn:pulumi:dev::kubewright::kubewright:host:Files::worker-1-files";
let written: string;
let view: UpdateView;
beforeEach(() => {
  written = "";
  view = new UpdateView(plainScreen({ write: (text: string | Uint8Array) => ((written += String(text)), true) }));
});

const send = (event: object) => view.onEvent(event as EngineEvent);
const metadata = (op: string, over: Partial<StepEventMetadata> = {}) => ({
  op,
  urn: URN,
  type: "kubewright:host:Files",
  provider: "urn:provider",
  ...over,
});
const diagnostic = (severity: string, message: string, ephemeral = false) =>
  send({ diagnosticEvent: { urn: URN, severity, message, ephemeral, color: "never" } });
const lines = () =>
  written
    .replaceAll(/^\[ +[\d.]+ s\] /gm, "")
    .replaceAll(/in [\d.]+ s/g, "in N s")
    .trimEnd()
    .split("\n");

test("prints the start, the status and the end of a step", () => {
  send({ resourcePreEvent: { metadata: metadata("create") } });
  diagnostic("info", "copying", true);
  send({ resOutputsEvent: { metadata: metadata("create") } });
  expect(lines()).toEqual([
    "Files worker-1-files: creating",
    "Files worker-1-files: copying",
    "Files worker-1-files: created in N s",
  ]);
});

test("prints nothing about components and unchanged resources", () => {
  send({ resourcePreEvent: { metadata: metadata("create", { provider: "" }) } });
  send({ resourcePreEvent: { metadata: metadata("same") } });
  expect(written).toBe("");
});

test("never prints debug messages, which contain secrets", () => {
  diagnostic("debug", "token=abcdef.0123456789abcdef");
  expect(written).toBe("");
  expect(view.failures).toEqual([]);
});

test("collects each error once, for the end", () => {
  diagnostic("error", "no space on the disk");
  diagnostic("error", "no space on the disk");
  expect(view.failures).toEqual(["Files worker-1-files: no space on the disk"]);
  expect(written).toBe("");
});

test("counts the changed resources", () => {
  send({
    summaryEvent: {
      resourceChanges: { same: 50, create: 2, update: 1 },
      durationSeconds: 1,
      maybeCorrupt: false,
      policyPacks: {},
    },
  });
  expect(view.changed).toBe(3);
});

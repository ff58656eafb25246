import * as pulumi from "@pulumi/pulumi";
import { expect, test, vi } from "vitest";
import { upgradeNotice, warnOfUpgrade } from "../../../../components/program/upgrade-notice";
import { parseConfig } from "../../../../components/config";

const environment = { kubernetesVersions: ["1.36.3", "1.35.4", "1.34.4"], fileExists: () => true };
const noticeOf = (kubernetes: object) =>
  upgradeNotice(parseConfig({ kubernetes, pools: { old: { version: "1.34.4" } } }, environment));

test("a preview names a paused upgrade, and the command that ends the pause", () => {
  const hold = { workers: "1.35.4", "worker-2": "1.36.3", old: "1.35.4" };
  expect(noticeOf({ version: "1.36.3", hold })).toBe(
    "the upgrade is paused: pool workers stays on 1.35.4, worker-2 stays on 1.36.3 (kubernetes.hold); " +
      "a worker that is added gets the version of its pool; continue with `npm run upgrade -- --resume`",
  );
  expect(noticeOf({ version: "1.36.3" })).toBeUndefined();
});

test("a preview names the target of a chain of minor versions, until the configuration has it", () => {
  const upgrading = { before: "1.34.4", to: "1.36.3" };
  expect(noticeOf({ version: "1.35.4", upgrading })).toMatch(
    /^the upgrade to 1\.36\.3 is at 1\.35\.4; continue with .*--resume`$/,
  );
});

test("a preview says that a run ends an upgrade whose pause was removed from the configuration", () => {
  const upgrading = { before: "1.35.4", to: "1.36.3" };
  expect(noticeOf({ version: "1.36.3", upgrading })).toBe(
    "the upgrade to 1.36.3 is not paused any more, and ends with the next run; then `npm start` or " +
      "`npm run upgrade -- --resume` removes its record (kubernetes.upgrading)",
  );
});

test.each([true, false])("only a preview warns of it (preview: %s)", (isPreview) => {
  vi.spyOn(pulumi.runtime, "isDryRun").mockReturnValue(isPreview);
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  const config = parseConfig({ kubernetes: { version: "1.36.3", hold: { workers: "1.35.4" } } }, environment);
  warnOfUpgrade(config);
  expect(warn).toHaveBeenCalledTimes(isPreview ? 1 : 0);
  vi.restoreAllMocks();
});

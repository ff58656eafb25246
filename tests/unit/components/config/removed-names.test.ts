import { expect, test } from "vitest";
import { parseConfig } from "../../../../components/config";

const environment = { kubernetesVersions: ["1.36.3", "1.35.4"], fileExists: () => true };
const WRITTEN = {
  version: "1.36.3",
  hold: { workers: "1.35.4", gpu: "1.35.4", "worker-2": "1.35.4", "worker-3": "1.35.4" },
  canary: ["worker-3", "worker-1"],
  canaryAfter: ["worker-2", "gpu-1"],
  additional: { gpu: 1 },
};
const upgrading = { before: "1.35.4", to: "1.36.3" };

test("names of removed pools and workers are ignored in what an upgrade has written", () => {
  const { kubernetes } = parseConfig({ kubernetes: { ...WRITTEN, upgrading }, workers: { count: 2 } }, environment);
  expect(kubernetes).toMatchObject({ version: "1.36.3", upgrading, canary: ["worker-1"], canaryAfter: ["worker-2"] });
  expect(kubernetes.hold).toEqual({ workers: "1.35.4", "worker-2": "1.35.4" });
  expect(kubernetes.additional).toEqual({});
});

test("an additional machine is a worker, which the upgrade may name", () => {
  const written = { version: "1.36.3", upgrading, canary: ["worker-2", "worker-3"], additional: { workers: 1 } };
  const { kubernetes } = parseConfig({ kubernetes: written, workers: { count: 1 } }, environment);
  expect(kubernetes).toMatchObject({ canary: ["worker-2"], additional: { workers: 1 } });
});

test("names that the user has written are checked, and the error names the line", () => {
  expect(() => parseConfig({ kubernetes: WRITTEN, workers: { count: 2 } }, environment)).toThrow(
    /remove kubernetes\.hold\.gpu(.|\n)*remove kubernetes\.hold\.worker-3(.|\n)*remove kubernetes\.canary\[0\]/,
  );
});

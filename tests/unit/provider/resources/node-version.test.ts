import { describe, expect, test } from "vitest";
import { DRAIN_DEFAULTS } from "../../../../contracts/drain";
import { nodeResource } from "../../../../provider/resources/node";
import { connectionTo } from "../../../support/connection";

const inputs = {
  connection: connectionTo({ host: "10.0.0.1", name: "worker-1" }),
  controlPlanes: [connectionTo({ host: "10.0.0.9" })],
  node: "worker-1",
  instance: "id-1",
  pool: "workers",
  drain: DRAIN_DEFAULTS,
};

describe("another version of the kubelet", () => {
  const find = (now: object, old: object = {}) =>
    nodeResource.findImpossibleChanges!(
      { ...inputs, version: "1.36.4", ...now },
      { ...inputs, version: "1.36.3", ...old },
    ).map(({ path, reason }) => `${path}: ${reason}`);

  const program = "a".repeat(64);

  test("is accepted on an existing node whose kubelet can be replaced, unless it is older", () => {
    expect(find({ program })).toEqual([]);
    expect(find({ program, version: "1.36.2" })).toEqual([
      "workers.version: the kubelet of worker-1 cannot change from 1.36.3 to 1.36.2: Kubernetes does not support " +
        "downgrades of a kubelet; set workers.version: 1.36.3, or add a pool with version 1.36.2 and remove this one",
    ]);
  });

  test("may be older on a control plane, whose kubelet follows its API server", () => {
    expect(find({ program, version: "1.36.2", pool: "control-plane" })).toEqual([]);
    expect(find({ version: "1.36.2", pool: "control-plane" })).toEqual([
      expect.stringMatching(/^kubernetes\.version: /),
    ]);
  });

  test("is refused on an existing node whose kubelet nothing replaces", () => {
    expect(find({})).toEqual([
      expect.stringMatching(
        /^workers\.version: .*would not be drained.*; set workers\.version: 1\.36\.3, or add a pool with version/,
      ),
    ]);
    expect(find({ pool: "gpu" })).toEqual([
      expect.stringMatching(/^pools\.gpu\.version: .*set pools\.gpu\.version: 1/),
    ]);
  });

  test("is accepted on a new machine, and where the version before is not known", () => {
    expect(find({ instance: "id-2" })).toEqual([]);
    expect(find({ instance: undefined })).toEqual([]);
    expect(find({}, { version: undefined })).toEqual([]);
    expect(find({ version: "1.36.3" })).toEqual([]);
  });
});

import { beforeEach, expect, test, vi } from "vitest";
import { findReleaseProblem } from "../../../../artifacts";
import { assertTargetInstallable, newestVersion } from "../../../../cli/nodes/upgrade-target";
import { controllerArch } from "../../../../components/machines/machine";

vi.mock("../../../../artifacts", async (original) => ({
  ...(await original<object>()),
  findReleaseProblem: vi.fn(),
}));
beforeEach(() => void vi.mocked(findReleaseProblem).mockReset());

const config = { source: "https://mirror", runtime: "docker" } as const;
const never = new AbortController().signal;

test("the default target is the newest listed version, or that of a cluster with a newer one", () => {
  expect(newestVersion(["1.34.4", "1.36.3", "1.35.4"])).toBe("1.36.3");
  expect(newestVersion(["1.36.11", "1.36.3", "1.35.4"])).toBe("1.36.11");
});

test("asks the cluster's source for the target, and names what it answers", async () => {
  vi.mocked(findReleaseProblem).mockResolvedValue({ reason: "the server returned HTTP 404", action: "use 1.36.3" });
  await expect(assertTargetInstallable("1.36.9", config, never)).rejects.toThrow(
    "planning the upgrade failed: the server returned HTTP 404; use 1.36.3",
  );
  const arch = controllerArch();
  expect(findReleaseProblem).toHaveBeenCalledWith({ ...config, kubernetes: "1.36.9", arch }, never);
});

test("accepts a target that the source has", async () => {
  await expect(assertTargetInstallable("1.36.9", config, never)).resolves.toBeUndefined();
});

import { beforeEach, expect, test, vi } from "vitest";
import { cachedArtifacts, findReleaseProblem, loadVersions, obtainArtifacts } from "../../../../artifacts";
import { artifactsResource } from "../../../../provider/resources/artifacts";
import { testContext } from "../../../support/context";

vi.mock("../../../../artifacts", async (original) => ({
  ...(await original<object>()),
  cachedArtifacts: vi.fn(),
  findReleaseProblem: vi.fn(),
  obtainArtifacts: vi.fn(),
}));

const [version = ""] = Object.keys(loadVersions().kubernetes.supported);
const inputs = { source: "auto", kubernetes: version, arch: "amd64" };
const set = {
  source: "official",
  reason: "downloaded",
  binaries: { kubelet: "k" },
  images: { kind: "pull" },
  refs: {},
};
const outputs = { resolvedSource: "official", binaries: set.binaries, images: set.images, refs: set.refs };
beforeEach(() => {
  vi.mocked(cachedArtifacts).mockReset().mockResolvedValue(undefined);
  vi.mocked(obtainArtifacts)
    .mockReset()
    .mockResolvedValue(set as never);
});
const predict = (now: object, old?: object) =>
  artifactsResource.predict!(
    { ...inputs, ...now },
    old && { inputs: { ...inputs, ...old }, outputs: { old: true, binaries: {}, images: {} } },
  );

test("a version that cannot be installed is rejected, with the reason and the next action", async () => {
  vi.mocked(findReleaseProblem).mockReset().mockResolvedValueOnce({ reason: "HTTP 404", action: "use 1.36.3" });
  const check = (now: object, old?: object) => artifactsResource.check!({ ...inputs, ...now }, testContext(), old);
  expect(await check({ kubernetes: "1.36.9" })).toEqual([{ path: "kubernetes", reason: "HTTP 404; use 1.36.3" }]);
  expect(await check({})).toEqual([]);
  expect(findReleaseProblem).toHaveBeenCalledTimes(2);
  expect(await check({ kubernetes: undefined })).toEqual([]);
});

test("a source that is down now is no problem for a version that it has served", async () => {
  vi.mocked(findReleaseProblem).mockReset().mockResolvedValue({ reason: "timed out", action: "try again" });
  const check = (now: object) => artifactsResource.check!({ ...inputs, ...now }, testContext(), inputs);
  expect(await check({ runtime: "docker" })).toEqual([]);
  expect(await check({ source: "official" })).toHaveLength(1);
  expect(await check({ kubernetes: "1.36.9" })).toHaveLength(1);
});

test.each([
  ["pull", "modules", "official", 1],
  ["pull", "auto", "modules", 1],
  ["pull", "auto", "official", 0],
  ["pull", "auto", undefined, 0],
  ["pull", "official", "modules", 0],
  ["auto", "modules", "modules", 0],
  ["push", "auto", "modules", 0],
] as const)(
  "transfer %s, source %s, cached from %s: %i problems at preview",
  async (transfer, source, cached, count) => {
    vi.mocked(findReleaseProblem).mockReset();
    vi.mocked(cachedArtifacts).mockResolvedValue(cached && ({ ...set, source: cached } as never));
    const problems = await artifactsResource.check!({ ...inputs, source }, testContext({}, { transfer }));
    expect(problems.map(({ path }) => path)).toEqual(Array<string>(count).fill("source"));
    for (const { reason } of problems)
      expect(reason).toContain("set `transfer` to auto or push, or `source` to official");
  },
);

test.each(["create", "update"] as const)("with transfer: pull, a %s builds nothing", async (operation) => {
  const context = testContext({}, { transfer: "pull" });
  if (operation === "create") await artifactsResource.create(context, inputs);
  else await artifactsResource.update!(context, "id", inputs, { inputs, outputs });
  expect(vi.mocked(obtainArtifacts).mock.lastCall?.[0]).toEqual({ ...inputs, downloadsOnly: true });
});

test("reports where binaries and images come from", async () => {
  const messages: string[] = [];
  const context = testContext({ info: (message) => void messages.push(message) });
  expect(await artifactsResource.create(context, inputs)).toEqual({ id: `kubernetes-${version}-amd64`, outputs });
  expect(messages).toEqual(["binaries and images: downloaded"]);
});

test("a cache that is not on this computer is no change, and is filled when a machine needs a file", async () => {
  const context = testContext();
  const remember = vi.spyOn(context.cachedFiles, "remember");
  expect(await artifactsResource.extraChanges!(inputs, { inputs, outputs }, context)).toEqual([]);
  expect(remember).toHaveBeenCalledWith({ ...inputs, source: "official" });
  expect(await artifactsResource.update!(testContext(), "id", inputs, { inputs, outputs })).toEqual(outputs);
});

test("a state with paths of another computer gets portable ones", async () => {
  const withPath = (path: string) => ({ ...outputs, binaries: { kubelet: { path, sha256: "a", size: 1 } } });
  const old = { inputs, outputs: withPath("/home/a/.cache/kubewright/artifacts/kubelet-1/kubelet") };
  const portable = withPath("$KUBEWRIGHT_CACHE/artifacts/kubelet-1/kubelet");
  expect(await artifactsResource.extraChanges!(inputs, old, testContext())).toEqual(["binaries"]);
  expect(await artifactsResource.predict!(inputs, old)).toEqual(portable);
  expect(await artifactsResource.extraChanges!(inputs, { inputs, outputs: portable }, testContext())).toEqual([]);
});

test("a preview of the same release shows the recorded files", async () => {
  expect(await predict({}, {})).toMatchObject({ old: true });
});

test.each([{ runtime: "docker" }, { extras: true }, { source: "modules" }, { arch: "arm64" }])(
  "a preview after a change to %o shows what the cache has, and nothing if it is not there",
  async (change) => {
    expect(await predict(change, {})).toEqual({});
    vi.mocked(cachedArtifacts).mockResolvedValue(set as never);
    expect(await predict(change, {})).toEqual(outputs);
    expect(cachedArtifacts).toHaveBeenLastCalledWith({ ...inputs, ...change });
  },
);

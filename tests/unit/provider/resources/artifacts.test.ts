import { beforeEach, expect, test, vi } from "vitest";
import { cachedArtifacts, loadVersions, obtainArtifacts } from "../../../../artifacts";
import { artifactsResource } from "../../../../provider/resources/artifacts";
import { testContext } from "../../../support/context";

vi.mock("../../../../artifacts", async (original) => ({
  ...(await original<object>()),
  cachedArtifacts: vi.fn(),
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

test("a version that is not supported is rejected, with those that are", () => {
  const check = (kubernetes?: string) => artifactsResource.check!({ kubernetes }, testContext());
  expect(check("1.2.3")).toEqual([
    {
      path: "kubernetes",
      reason: expect.stringMatching(`version 1.2.3 is not supported; use one of .*${version}`) as string,
    },
  ]);
  expect(check(version)).toEqual([]);
  expect(check()).toEqual([]);
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

import { expect, test } from "vitest";
import { describeChangedFiles } from "../../../../provider/host/changed-lines";
import { kubeletFiles, octal } from "../../../../render/node-files";

const file = (content: string, mode = "0644") => ({ content, mode });

test("the changed lines of a file that everybody may read are quoted", () => {
  const changes = describeChangedFiles({ "/etc/demo": file("a\nb\n") }, { "/etc/demo": file("a\nc\n") });
  expect(changes).toBe("/etc/demo\n- b\n+ c");
});

test("a file that only root may read is named without its lines", () => {
  const changes = describeChangedFiles({ "/etc/demo": file("a\n", "0600") }, { "/etc/demo": file("b\n", "0600") });
  expect(changes).toBe("/etc/demo");
});

test("the kubelet's settings, which only root may read, are quoted", () => {
  const options = { clusterDns: "10.96.0.10", facts: {} } as unknown as Parameters<typeof kubeletFiles>[0];
  const before = octal(kubeletFiles(options));
  const after = Object.fromEntries(
    Object.entries(before).map(([path, one]) => [path, { ...one, content: `${one.content}changed\n` }]),
  );
  const changes = describeChangedFiles(before, after).split("\n");
  expect(changes).toEqual(
    Object.keys(before)
      .sort()
      .flatMap((path) => [path, "+ changed"]),
  );
});

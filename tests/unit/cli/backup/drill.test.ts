import { expect, test } from "vitest";
import { findDifferences } from "../../../../cli/backup/drill";

const content = { revision: 100, hash: 7, compactRevision: 50, keys: { configmaps: 3, secrets: 2 } };

test("a drill names each difference", () => {
  expect(findDifferences(content, content)).toEqual([]);
  expect(findDifferences(content, { ...content, hash: 8, keys: { configmaps: 3, pods: 1 } })).toEqual([
    "hash: recorded 7, restored 8",
    "pods: recorded 0, restored 1",
    "secrets: recorded 2, restored 0",
  ]);
});

import { expect, test } from "vitest";
import { differencesOf } from "../../../../provider/preview/differences";
import { messageOf } from "../../../../provider/preview/messages";
import type { Step } from "../../../../provider/preview/step";

test("an operation that failed after it had begun is reported as such, not by the property of the state", () => {
  const step = { kind: "Join", current: { host: "a" }, desired: { host: "a" }, paths: ["__unfinished"] };
  const differences = differencesOf(step as unknown as Step);
  expect(differences.map((one) => messageOf(one, "plan"))).toEqual(["the interrupted change is completed"]);
});

import { expect, test } from "vitest";
import { HTTP_REQUEST } from "../../../render/http-request";

test("the connection stays open until the answer has come", () => {
  expect(HTTP_REQUEST).toContain("socat -,ignoreeof ");
});

import { expect, test } from "vitest";
import { isRemovedIn, parseDeprecatedApis } from "../../../../provider/kube/deprecated-apis";

const NAME = "apiserver_requested_deprecated_apis";
const METRICS = `# TYPE ${NAME} gauge
${NAME}{group="",removed_release="",resource="endpoints",subresource="",version="v1"} 1
${NAME}{group="shop.example.com",removed_release="1.36",resource="widgets",subresource="",version="v1beta3"} 1
${NAME}{group="",removed_release="",resource="endpoints",subresource="status",version="v1"} 1
apiserver_request_total{resource="pods"} 7
`;

test("names the deprecated APIs in use, and the release that removes them", () => {
  expect(parseDeprecatedApis(METRICS)).toEqual([
    { resource: "endpoints.v1" },
    { resource: "widgets.v1beta3.shop.example.com", removedIn: "1.36" },
  ]);
  expect(parseDeprecatedApis("")).toEqual([]);
});

test("an API is missing from the release on that removes it", () => {
  const api = { resource: "widgets", removedIn: "1.36" };
  expect(isRemovedIn(api, "1.35.4")).toBe(false);
  expect(isRemovedIn(api, "1.36.3")).toBe(true);
  expect(isRemovedIn({ resource: "endpoints.v1" }, "1.36.3")).toBe(false);
});

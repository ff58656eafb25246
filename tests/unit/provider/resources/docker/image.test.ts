import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { imageRef } from "../../../../../provider/docker/recipe";
import { imageResource } from "../../../../../provider/resources/docker/image";
import { testContext } from "../../../../support/context";
import { FakeDocker } from "../../docker/fake-docker";
import { INFO } from "../../docker/inspected";

const REF = imageRef("auto");

let docker: FakeDocker;
let warnings: string[];
beforeEach(() => {
  docker = new FakeDocker();
  warnings = [];
});
afterEach(() => docker.remove());

const context = () => testContext({ warn: (message) => void warnings.push(message) });
const old = { inputs: {}, outputs: { ref: REF, imageId: "sha256:1" } };

test("an image that the daemon has is used, and is known by the hash of its recipe", async () => {
  docker.on("info", { stdout: JSON.stringify(INFO) }).on("image inspect", { stdout: "sha256:1" });
  expect(await imageResource.create(context(), {})).toEqual({ id: REF, outputs: { ref: REF, imageId: "sha256:1" } });
});

test("each recipe has an image of its own", async () => {
  docker.on("info", { stdout: JSON.stringify(INFO) }).on("image inspect", { stdout: "sha256:2" });
  expect((await imageResource.create(context(), { recipe: "dockerfile" })).id).toBe(imageRef("dockerfile"));
});

describe("a refresh", () => {
  const read = () => imageResource.read!(context(), REF, old);

  test("reads the id of an image that was built again", async () => {
    docker.on("info", { stdout: JSON.stringify(INFO) }).on("image inspect", { stdout: "sha256:2" });
    expect(await read()).toEqual({ inputs: {}, outputs: { ref: REF, imageId: "sha256:2" } });
  });

  test("finds that the image was removed", async () => {
    docker.on("info", { stdout: JSON.stringify(INFO) }).on("image inspect", { code: 1 });
    expect(await read()).toBeUndefined();
  });

  test("keeps the recorded state while Docker does not answer", async () => {
    docker.on("info", { code: 1, stderr: "connection refused" });
    expect(await read()).toEqual(old);
    expect(warnings).toEqual(["Docker does not answer: keeping the last known state of the image"]);
  });
});

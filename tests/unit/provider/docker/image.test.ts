import { describe, expect, it } from "vitest";
import { sourceLines } from "../../../../provider/docker/mmdebstrap";
import { imageRef, readPackages, recipeHash } from "../../../../provider/docker/recipe";

describe("recipe", () => {
  const files = new Map([
    ["packages", "systemd\n"],
    ["setup.sh", "#!/bin/sh\n"],
  ]);

  it("does not depend on the order of files", () => {
    expect(recipeHash("auto", new Map([...files].reverse()))).toBe(recipeHash("auto", files));
    expect(recipeHash("auto", files)).toBe("be5638dcf703");
  });

  it("changes with a file's name, its content, and the recipe", () => {
    const base = recipeHash("auto", files);
    expect(recipeHash("dockerfile", files)).not.toBe(base);
    expect(recipeHash("auto", new Map([...files, ["setup.sh", "#!/bin/bash\n"]]))).not.toBe(base);
    expect(
      recipeHash(
        "auto",
        new Map([
          ["packages", "systemd\n"],
          ["setup2.sh", "#!/bin/sh\n"],
        ]),
      ),
    ).not.toBe(base);
  });

  it("returns a valid Docker reference", () => {
    expect(imageRef("auto")).toMatch(/^kubewright\/machine:[0-9a-f]{12}$/);
    expect(readPackages()).toContain("openssh-server");
  });
});

describe("sourceLines", () => {
  it("returns the release and its updates, without duplicates", () => {
    const listing = [
      "http://mirror.example/debian/ bookworm main",
      "http://mirror.example/debian/ bookworm main",
      "http://mirror.example/debian/ bookworm-updates main",
      "http://mirror.example/debian-security/ bookworm-security main",
      "http://mirror.example/debian/ trixie main",
      "",
    ].join("\n");
    expect(sourceLines(listing, "bookworm")).toEqual([
      "deb http://mirror.example/debian/ bookworm main",
      "deb http://mirror.example/debian/ bookworm-updates main",
      "deb http://mirror.example/debian-security/ bookworm-security main",
    ]);
  });
});

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectRoot } from "../../../common/project-root";
import { template } from "../../../render/template";

const templates = join(projectRoot(), "templates");

describe("template", () => {
  test("reports a placeholder without a value", () => {
    expect(() => template("guard/guard.nft")).toThrow("templates/guard/guard.nft needs a value for @SERVICE_CIDR@");
  });

  test("reports a value without a placeholder", () => {
    expect(() => template("kubelet/kubelet.service", { NAME: "x" })).toThrow(
      "templates/kubelet/kubelet.service has no @NAME@",
    );
  });

  test("shell templates are valid shell", () => {
    const scripts = readdirSync(templates, { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".sh"),
    );
    expect(scripts).toContain("flannel/run.sh");
    for (const script of scripts) execFileSync("bash", ["-n", join(templates, script)]);
    execFileSync("sh", ["-n", join(templates, "flannel/run.sh")]);
  });
});

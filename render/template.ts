import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../common/project-root";

/**
 * Renders a file of templates/ with values for its `@NAME@` placeholders.
 * @param path Relative to templates/: `kubelet/kubelet.service`.
 * @throws Error when a placeholder has no value or a value has no placeholder, which is a bug in Kubewright
 */
export function template(path: string, values: Readonly<Record<string, string>> = {}): string {
  const used = new Set<string>();
  const text = readFileSync(join(projectRoot(), "templates", path), "utf8").replace(
    /@([A-Z][A-Z_]*)@/g,
    (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`templates/${path} needs a value for @${name}@`);
      used.add(name);
      return value;
    },
  );
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`templates/${path} has no @${unused.join("@, @")}@`);
  return text;
}

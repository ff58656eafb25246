import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { StepError, messageOf } from "../common/errors";
import { projectRoot } from "../common/project-root";
import type { Runtime } from "../common/runtime";

export type Arch = "amd64" | "arm64";

const version = z.string().regex(/^\d+\.\d+\.\d+$/, "must look like 1.2.3");
const sum = z.string().regex(/^h1:[A-Za-z0-9+/]{43}=$/, "must be a Go module sum, h1:...");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256 in hexadecimal");
const https = z.string().startsWith("https://");

const buildFlags = {
  /** Name of a binary to its Go package. */
  packages: z.record(z.string(), z.string()),
  cgo: z.boolean().default(false),
  tags: z.array(z.string()).default([]),
  /** Linker flags. The default strips symbols. */
  ldflags: z.string().default("-s -w"),
};

const goModule = z.strictObject({
  path: z.string(),
  staging: z.boolean().default(false),
  /** The binary is built in the module's own folder, with the dependency versions of its go.mod. */
  inPlace: z.boolean().default(false),
  /** Component version to module sum. A version without a sum cannot be built. */
  sums: z.record(version, sum),
  ...buildFlags,
});

const download = z.strictObject({
  /** Name of the file and, without `members`, of the binary. */
  name: z.string(),
  url: https,
  checksum: https,
  /** Name of a binary to its path in the tar.gz. Absent when the download is the binary itself. */
  members: z.record(z.string(), z.string()).optional(),
  pinned: z.record(z.string().regex(/^\d+\.\d+\.\d+-(amd64|arm64)$/), sha256).default({}),
});

const component = z
  .strictObject({
    version,
    imageTag: z.string().optional(),
    extra: z.boolean().default(false),
    /** Needed with this runtime only. Absent: with every runtime. */
    runtime: z.enum(["docker"]).optional(),
    modules: z.array(goModule).default([]),
    downloads: z.array(download).default([]),
  })
  .superRefine((value, context) => {
    value.modules.forEach((module, index) => {
      if (module.sums[value.version]) return;
      context.addIssue({
        code: "custom",
        path: ["modules", index, "sums"],
        message: `has no sum for ${value.version}`,
      });
    });
  });

const kubeadmImages = z.strictObject({ etcd: z.string(), pause: z.string(), coredns: z.string() });

const pinnedModule = z.strictObject({ path: z.string(), version: z.string(), sum, ...buildFlags });

const schema = z
  .strictObject({
    go: z.strictObject({ atLeast: version }),
    pulumi: z.strictObject({
      version,
      atLeast: version,
      modules: z.array(pinnedModule),
      dynamicProvider: z.strictObject({ path: z.string(), version: z.string(), sum, file: z.string() }),
      probe: https,
    }),
    restic: z.strictObject({ atLeast: version, module: pinnedModule }),
    kubernetes: z.strictObject({ default: version, supported: z.record(version, kubeadmImages) }),
    components: z.strictObject({
      kubernetes: component,
      etcd: component,
      containerd: component,
      runc: component,
      cniPlugins: component,
      criDockerd: component,
      coredns: component,
      flannel: component,
      agnhost: component,
      busybox: component,
    }),
  })
  .superRefine((value, context) => {
    const sums = value.components.kubernetes.modules[0]?.sums ?? {};
    for (const release of [value.kubernetes.default, ...Object.keys(value.kubernetes.supported)]) {
      if (value.kubernetes.supported[release] && sums[release]) continue;
      context.addIssue({
        code: "custom",
        path: ["kubernetes"],
        message: `${release} needs both an entry in supported and a sum`,
      });
    }
  });

export type Versions = z.infer<typeof schema>;
export type Component = z.infer<typeof component>;
export type ComponentName = keyof Versions["components"];
export type GoModule = z.infer<typeof goModule>;
export type PinnedModule = z.infer<typeof pinnedModule>;
export type Download = z.infer<typeof download>;
export type KubeadmImages = z.infer<typeof kubeadmImages>;

/** Parses versions.yaml. @throws StepError that names the invalid property */
export function parseVersions(text: string): Versions {
  const result = schema.safeParse(parse(text));
  if (result.success) return result.data;
  throw new StepError({ step: "read versions.yaml", cause: z.prettifyError(result.error), action: "correct the file" });
}

/** Returns the components that a cluster with this runtime needs. */
export function componentsFor(versions: Versions, runtime: Runtime): [string, Component][] {
  return Object.entries(versions.components).filter(
    ([, component]) => component.runtime === undefined || component.runtime === runtime,
  );
}

let loaded: Versions | undefined;

/** Returns the repository's versions.yaml, which is read once. */
export function loadVersions(): Versions {
  loaded ??= parseVersions(readVersions());
  return loaded;
}

function readVersions(): string {
  try {
    return readFileSync(join(projectRoot(), "versions.yaml"), "utf8");
  } catch (error) {
    throw new StepError({
      step: "read versions.yaml",
      cause: messageOf(error),
      action: "reinstall kubewright: this file is part of it",
    });
  }
}

/** Returns the image tags of this version's kubeadm. @throws StepError when the version is not supported */
export function kubeadmImagesOf(versions: Versions, kubernetes: string): KubeadmImages {
  const images = versions.kubernetes.supported[kubernetes];
  if (images) return images;
  const supported = Object.keys(versions.kubernetes.supported).join(", ");
  throw new StepError({
    step: `choose Kubernetes ${kubernetes}`,
    cause: "versions.yaml does not list this version",
    action: `use one of ${supported}`,
  });
}

/**
 * Replaces the placeholders of a template in versions.yaml: `{version}`, `{major}`, `{minor}`, `{patch}` and `{arch}`.
 */
export function fillTemplate(template: string, values: { version: string; arch: Arch }): string {
  const [major = "", minor = "", patch = ""] = values.version.split(".");
  const placeholders: Record<string, string> = { ...values, major, minor, patch };
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => placeholders[name] ?? whole);
}

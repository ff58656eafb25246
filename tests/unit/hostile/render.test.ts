import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fc } from "../../support/fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { ConfigError, type ConfigEnvironment, parseConfig } from "../../../components/config";
import { containerdConfig } from "../../../render/containerd";
import { yamlText } from "../../../render/json";
import { initDocuments } from "../../../render/kubeadm";
import { toYaml } from "../../../render/kubeadm-documents";
import { kubeletConfigurationText, kubeletDefaults } from "../../../render/kubelet";
import { HOSTILE_TIMEOUT_MS, holds, hostileText } from "../../support/hostile";
import type { ControlPlaneComponent } from "../../../render/kubeadm-types";
import { facts, initOptions, node } from "../render/samples";

const environment: ConfigEnvironment = { kubernetesVersions: ["1.36.3"], fileExists: () => true };
let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "kubewright-hostile-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As YAML 1.2 reads it, and as Kubernetes' 1.1 does. */
function readings(text: string): unknown[] {
  return [parse(text), parse(text, { version: "1.1" })];
}

/** No control character, nor anything else that Kubernetes' reader refuses. */
const PRINTABLE = /^[\t\n\r\x20-\x7e\u00a0-\ufffd\u{10000}-\u{10ffff}]*$/u;

test(
  "YAML carries any text, as key and as value, in YAML 1.1 and 1.2",
  async () => {
    const value = fc.dictionary(hostileText(), fc.oneof(hostileText(), fc.array(hostileText(), { maxLength: 3 })), {
      maxKeys: 4,
    });
    await holds(
      "objects through YAML",
      1500,
      fc.property(value, (given) => {
        const plain = { ...given };
        const text = yamlText(plain);
        expect(text).toMatch(PRINTABLE);
        for (const read of readings(text)) expect(read).toEqual(plain);
      }),
    );
  },
  HOSTILE_TIMEOUT_MS,
);

test("YAML represents every short text of white space and a letter", () => {
  const texts = (length: number): string[] =>
    length === 0
      ? [""]
      : texts(length - 1).flatMap((text) => [text, ...[" ", "\n", "\t", "\r", "a"].map((more) => text + more)]);
  for (const text of new Set(texts(4))) {
    const plain = { value: text, list: [text], [`key${text}`]: 1 };
    for (const read of readings(yamlText(plain))) expect(read).toEqual(plain);
  }
});

test(
  "kubeadm's documents carry names, taints and flags unchanged",
  async () => {
    await holds(
      "kubeadm documents",
      300,
      fc.property(hostileText(), hostileText(), hostileText(), (name, value, flag) => {
        const options = initOptions({
          node: node({ name, taints: [{ key: name, value, effect: "NoSchedule" }] }),
          extraArgs: { apiServer: { [flag]: value } },
        });
        const [init, cluster] = parseAllDocuments(toYaml(initDocuments(options)), { version: "1.1" }).map(
          (document) => document.toJS() as Record<string, never>,
        );
        expect(init?.nodeRegistration).toMatchObject({ name, taints: [{ key: name, value }] });
        const apiServer = cluster?.apiServer as unknown as ControlPlaneComponent;
        expect(apiServer.extraArgs).toContainEqual({ name: flag, value });
      }),
    );
  },
  HOSTILE_TIMEOUT_MS,
);

test(
  "the kubelet's configuration carries any setting unchanged",
  async () => {
    await holds(
      "kubelet configurations",
      300,
      fc.property(hostileText(), hostileText(), (name, value) => {
        const text = kubeletConfigurationText({
          version: "1.36.3",
          facts: { cgroupVersion: 2 },
          settings: { systemReserved: { [name]: value } },
        });
        expect(parse(text, { version: "1.1" })).toMatchObject({ systemReserved: { [name]: value } });
      }),
    );
  },
  HOSTILE_TIMEOUT_MS,
);

test(
  "kubelet flags are refused, or survive the environment file unchanged",
  async () => {
    const file = join(folder, "kubelet");
    let refused = 0;
    await holds(
      "kubelet flags through a shell",
      200,
      fc.property(hostileText(), (value) => {
        let text: string;
        try {
          text = kubeletDefaults({ nodeIp: "10.0.0.9", extraArgs: { v: value } });
        } catch {
          refused++;
          return;
        }
        writeFileSync(file, text);
        const heard = execFileSync("/bin/sh", ["-c", `set -f; . ${file}; printf '%s\\0' $KUBELET_EXTRA_ARGS`], {
          encoding: "utf8",
        });
        expect(heard.split("\0").slice(0, -1)).toEqual(["--node-ip=10.0.0.9", `--v=${value}`]);
      }),
    );
    process.stdout.write(`hostile values: ${refused} flags were refused\n`);
  },
  HOSTILE_TIMEOUT_MS,
);

test(
  "containerd's configuration keeps a hostile image name one string",
  async () => {
    await holds(
      "containerd configurations",
      500,
      fc.property(hostileText(), (pauseImage) => {
        const text = containerdConfig({ pauseImage, facts: facts() });
        const [, literal = ""] = /^ *sandbox = ([^\n]*)$/m.exec(text) ?? [];
        expect(literal).toMatch(/^"[^\x00-\x1f\x7f]*"$/); // https://toml.io/en/v1.0.0#string
        expect(JSON.parse(literal)).toBe(pauseImage);
      }),
    );
  },
  HOSTILE_TIMEOUT_MS,
);

describe("configuration", () => {
  const LABEL = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
  const accepted = (raw: object) => {
    try {
      return parseConfig(raw, environment);
    } catch (error) {
      if (error instanceof ConfigError) return undefined;
      throw error;
    }
  };

  test(
    "node names that are not DNS names are refused",
    async () => {
      await holds(
        "node names",
        400,
        fc.property(hostileText(), (name) => {
          const host = (own: string, address: string, role: string) => ({
            name: own,
            host: address,
            privateKeyPath: "/k",
            role,
          });
          const config = accepted({
            machines: {
              kind: "ssh",
              ssh: { hosts: [host("cp", "10.0.0.1", "control-plane"), host(name, "10.0.0.2", "worker")] },
            },
          });
          if (config) expect(name).toMatch(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/);
        }),
      );
    },
    HOSTILE_TIMEOUT_MS,
  );

  test(
    "labels and taints that Kubernetes would refuse are refused",
    async () => {
      const key = fc.oneof(
        hostileText(),
        fc.tuple(hostileText(), hostileText()).map(([prefix, name]) => `${prefix}/${name}`),
        fc.constantFrom("example.com/a", "a/b/c", "/a", "a/", "A/b"),
      );
      await holds(
        "labels and taints",
        600,
        fc.property(key, hostileText(), (name, value) => {
          const config = accepted({
            workers: { labels: { [name]: value }, taints: [{ key: name, value, effect: "NoExecute" }] },
          });
          if (!config) return;
          expect(name).toMatch(LABEL);
          expect(value).toMatch(/^[-A-Za-z0-9_.]{0,63}$/);
          expect(config.workers.labels).toEqual({ [name]: value });
        }),
      );
      expect(accepted({ workers: { labels: { "example.com/tier": "web" } } })?.workers.labels).toEqual({
        "example.com/tier": "web",
      });
    },
    HOSTILE_TIMEOUT_MS,
  );

  test(
    "flags are refused or passed unchanged, and no value breaks the checks",
    async () => {
      await holds(
        "flags",
        400,
        fc.property(hostileText(), hostileText(), (name, value) => {
          const config = accepted({
            controlPlane: { extraArgs: { apiServer: { [name]: value }, kubelet: { v: value } } },
          });
          if (config)
            expect(config.controlPlane.extraArgs).toMatchObject({
              apiServer: { [name]: value },
              kubelet: { v: value },
            });
        }),
      );
      await holds(
        "configurations of any shape",
        400,
        fc.property(
          fc.constantFrom("source", "kubernetes", "network", "machines", "controlPlane", "workers", "pools", "drain"),
          fc.jsonValue(),
          (section, value) => {
            accepted({ [section]: value });
          },
        ),
      );
    },
    HOSTILE_TIMEOUT_MS,
  );
});

import { describe, expect, test } from "vitest";
import { addressAt, subnetAt } from "../../../render/cidr";
import { apiServerFiles, tokenFile } from "../../../render/components/api-server-files";
import { type ArgumentsOptions, type ComponentName, componentArguments } from "../../../render/components/arguments";
import { bridgeFiles } from "../../../render/components/bridge";
import { corednsManifests } from "../../../render/components/coredns";
import { kubeProxyManifests, kubeProxyRevision } from "../../../render/components/kube-proxy";
import { kubeconfig } from "../../../render/components/kubeconfig";
import { clusterFiles } from "../../../render/standalone-kubelet";
import { certificateTable } from "../../../render/components/pki";
import { bootstrapBindings, defaultServiceAccount } from "../../../render/components/rbac";
import { componentPod, helloPod } from "../../../render/components/static-pod";
import { componentUnit } from "../../../render/components/unit";
import { yamlText } from "../../../render/json";
import { kubeProxyConfiguration } from "../../../render/kubeadm";
import { kubeletFiles } from "../../../render/node-files";
import { RUNGS, reaches } from "../../../render/rung";
import { criSocket } from "../../../render/runtime";
import { containerFacts, golden } from "./samples";

const COMPONENTS: ComponentName[] = ["etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager"];

function options(changes: Partial<ArgumentsOptions> = {}): ArgumentsOptions {
  return {
    clusterName: "lab",
    nodeName: "cp-1",
    address: "10.77.0.21",
    serviceCidr: "10.10.0.0/16",
    podCidr: "10.244.0.0/16",
    dnsDomain: "cluster.local",
    staticTokens: false,
    disableAdmission: [],
    ...changes,
  };
}

function texts(files: Record<string, { content: string }>): string {
  return Object.entries(files)
    .map(([path, { content }]) => `==> ${path}\n${content}`)
    .join("");
}

describe("the control plane", () => {
  test.each(COMPONENTS)("%s as a static pod", async (name) => {
    const pod = componentPod({
      name,
      image: `registry.example.com/${name}:v1`,
      imagePullPolicy: "IfNotPresent",
      args: componentArguments(name, options()),
      address: "10.77.0.21",
    });
    await expect(yamlText(pod)).toMatchFileSnapshot(golden(`components/${name}.yaml`));
  });

  test.each(COMPONENTS)("%s as a systemd service, with the same flags", async (name) => {
    const args = componentArguments(name, options());
    const unit = componentUnit(name, args);
    await expect(unit).toMatchFileSnapshot(golden(`components/${name}.service`));
    for (const [flag, value] of Object.entries(args)) expect(unit).toContain(`--${flag}=${value}`);
  });

  test("the user's flags override the defaults; disabled admission plugins and static tokens are flags", () => {
    const args = componentArguments(
      "kube-apiserver",
      options({
        staticTokens: true,
        disableAdmission: ["ServiceAccount", "LimitRanger"],
        extraArgs: { "kube-apiserver": { "secure-port": "7443", v: "4" } },
      }),
    );
    expect(args).toMatchObject({
      "secure-port": "7443",
      v: "4",
      "disable-admission-plugins": "ServiceAccount,LimitRanger",
      "token-auth-file": "/etc/kubernetes/apiserver/tokens.csv",
    });
  });

  test("arguments that systemd would expand are escaped", () => {
    expect(componentUnit("etcd", { name: '100% $HOME "x"' })).toContain('"--name=100%% $$HOME \\"x\\""');
  });

  test("etcd never listens for clients in plain text", () => {
    for (const [flag, value] of Object.entries(componentArguments("etcd", options()))) {
      if (flag !== "listen-metrics-urls") expect(value).not.toContain("http://");
    }
  });
});

describe("the PKI", () => {
  const table = certificateTable({
    nodeName: "cp-1",
    addresses: ["10.77.0.21", "10.77.0.21", "192.0.2.1"],
    dnsNames: ["api.example.com"],
    serviceAddress: "10.10.0.1",
    dnsDomain: "cluster.local",
  });

  test("its table", async () => {
    await expect(yamlText(table)).toMatchFileSnapshot(golden("components/pki.yaml"));
  });

  test("every client certificate is signed by one authority only", () => {
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
    expect(table.filter(({ authority }) => authority === "front-proxy").map(({ usages }) => usages)).toEqual([
      ["client"],
    ]);
  });
});

test("a kubeconfig, by certificate and by token", async () => {
  const common = { clusterName: "lab", server: "https://10.77.0.21:6443", caCertificate: "CA\n", user: "jane" };
  const both = [
    kubeconfig({ ...common, identity: { certificate: "CERT\n", key: "KEY\n" } }),
    kubeconfig({ ...common, identity: { token: "t" } }),
  ];
  await expect(both.join("---\n")).toMatchFileSnapshot(golden("components/kubeconfig.yaml"));
});

test("anonymous requests may read health only", async () => {
  const [authentication] = Object.values(apiServerFiles([]));
  await expect(authentication).toMatchFileSnapshot(golden("components/authentication.yaml"));
});

test("the token file is in the API server's format", () => {
  expect(
    tokenFile([
      { token: "a", user: "jane", uid: "1" },
      { token: "b", user: "joe", uid: "2", groups: ["dev", "ops"] },
    ]),
  ).toBe('a,jane,1\nb,joe,2,"dev,ops"\n');
});

describe("a machine", () => {
  test("with a standalone kubelet, and one in a cluster", async () => {
    const alone = kubeletFiles({
      version: "1.36.3",
      nodeIp: "10.77.0.22",
      facts: { ...containerFacts, systemdResolved: true },
      standalone: { criSocket: criSocket("containerd"), nodeName: "worker-1" },
    });
    await expect(
      texts({ ...alone, ...clusterFiles({ clusterDns: "10.10.0.10", dnsDomain: "cluster.local" }) }),
    ).toMatchFileSnapshot(golden("components/kubelet.txt"));
  });

  test("with its bridge", async () => {
    await expect(texts(bridgeFiles({ range: "10.244.9.0/24", podCidr: "10.244.0.0/16" }))).toMatchFileSnapshot(
      golden("components/bridge.txt"),
    );
  });

  test("with the example of the first rung", async () => {
    await expect(
      yamlText(helloPod({ image: "busybox", imagePullPolicy: "Never", nodeName: "cp-1" })),
    ).toMatchFileSnapshot(golden("components/hello.yaml"));
  });
});

test("the objects in the API", async () => {
  const image = { image: "registry.example.com/x:v1", imagePullPolicy: "IfNotPresent" } as const;
  const configuration = kubeProxyConfiguration({ proxyMode: "nftables" });
  const objects = [
    ...bootstrapBindings(),
    defaultServiceAccount(),
    ...kubeProxyManifests({ ...image, configuration, podCidr: "10.244.0.0/16", server: "https://10.77.0.21:6443" }),
    ...corednsManifests({ ...image, clusterIp: "10.10.0.10", dnsDomain: "cluster.local" }),
  ];
  await expect(objects.map(yamlText).join("---\n")).toMatchFileSnapshot(golden("components/objects.yaml"));
});

test("a rung includes the rungs below it", () => {
  expect(RUNGS.filter((rung) => reaches(rung, "scheduler"))).toEqual(["scheduler", "controllers", "proxy", "dns"]);
});

test("parts and addresses of a range", () => {
  expect([addressAt("10.10.0.0/16", 10), addressAt("10.10.0.0/30", 4)]).toEqual(["10.10.0.10", undefined]);
  expect([
    subnetAt("10.244.0.0/16", 24, 9),
    subnetAt("10.244.0.0/16", 24, 256),
    subnetAt("10.244.0.0/16", 12, 0),
  ]).toEqual(["10.244.9.0/24", undefined, undefined]);
});

test("the revision of kube-proxy's pods changes with the image and with the configuration", () => {
  const configuration = kubeProxyConfiguration({ proxyMode: "nftables" });
  const podCidr = "10.244.0.0/16";
  const options = { image: "a", imagePullPolicy: "Never" as const, configuration, podCidr, server: "x" };
  const revisions = [options, { ...options, image: "b" }, { ...options, server: "y" }].map(kubeProxyRevision);
  expect(new Set(revisions).size).toBe(3);
  const daemonSet = kubeProxyManifests(options).find(({ kind }) => kind === "DaemonSet");
  expect(JSON.stringify(daemonSet)).toContain(revisions[0]);
});

import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import * as settings from "@pulumi/pulumi/runtime/settings";
import { facts } from "../unit/render/samples";
import { fakeClouds } from "./clouds";

/** A resource as a program registers it with the engine; other resources appear as `type name`. */
export interface Registration {
  type: string;
  name: string;
  parent?: string;
  dependsOn: string[];
  deletedWith?: string;
  ignoreChanges: string[];
  inputs: Record<string, unknown>;
}

/** What this module reads of a RegisterResourceRequest. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDeletedwith(): string;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
}

/** Not in the package's types: resolves when every request that has been sent is answered. */
const { waitForRPCs } = settings as unknown as { waitForRPCs(): Promise<void> };

const CA_HASH = `sha256:${"a".repeat(64)}`;

/** Outputs that the provider would compute, so that everything downstream of them is rendered too. */
function outputsOf(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  const address = `10.77.0.${20 + ((name.length + name.charCodeAt(name.length - 1)) % 100)}`;
  const file = (path: string) => ({ path: `/cache/${path}`, sha256: path.padEnd(64, "0").slice(0, 64) });
  const named = (names: string[], value: (name: string) => unknown) =>
    Object.fromEntries(names.map((each) => [each, value(each)]));
  const archive = (set: string) => ({ ...file(`${set}.tar`), refs: [`registry/${set}:1`] });
  const images = [
    "apiserver",
    "controllerManager",
    "scheduler",
    "kubeProxy",
    "etcd",
    "coredns",
    "pause",
    "flannel",
    "flannelCni",
    "busybox",
  ];
  const binaries = [
    "kubeadm",
    "kubelet",
    "kubectl",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "runc",
    "bridge",
    "loopback",
    "ptp",
    "host-local",
    "portmap",
    "bandwidth",
    "firewall",
    "etcd",
    "etcdctl",
    "cri-dockerd",
    "kube-apiserver",
    "kube-scheduler",
    "kube-controller-manager",
  ];
  switch (type) {
    case "kubewright:host:Host":
      return {
        facts: facts({ hostname: name.replace(/-host$/, "") }),
        instance: `id of ${name}`,
        hostKey: "ssh-ed25519 AAAA",
      };
    case "kubewright:local:Artifacts":
      return {
        resolvedSource: "official",
        binaries: named(binaries, file),
        images: { kind: "archives", worker: archive("worker"), controlPlane: archive("control-plane") },
        refs: named(images, (each) => `registry.k8s.io/${each}:1.0`),
      };
    case "kubewright:cluster:Preflight":
      return {
        passed: named(
          (inputs.machines as { name: string }[]).map((machine) => machine.name),
          (each) => `id of ${each}`,
        ),
      };
    case "kubewright:kubeadm:Init":
      return { caCertHash: CA_HASH };
    case "kubewright:pki:Authority":
      return { certificate: "authority", key: "authority key", hash: CA_HASH };
    case "kubewright:pki:Certificate":
      return { certificate: "certificate", key: "key" };
    case "kubewright:pki:EncryptionKeys":
      return { keys: [{ name: "key1", provider: "secretbox", secret: "secret" }] };
    case "kubewright:pki:KeyPair":
      return { publicKey: "public", privateKey: "private" };
    default:
      return {
        publicKey: "ssh-ed25519 AAAA",
        privateKey: "key",
        user: "root",
        port: 22,
        hostKey: "ssh-ed25519 AAAA",
        address,
        privateAddress: address,
        networkName: "net",
        ref: "kubewright/machine:1",
        ipv4Address: address,
        ipv4: "203.0.113.80",
        ip: "203.0.113.81",
        dnsName: "dev-api-0123.elb.eu-central-1.amazonaws.com",
        ipv4AddressPrivate: address,
        publicIp: address,
        privateIp: address,
        path: "/keys/id",
        privateKeyPath: "/keys/id",
        host: address,
      };
  }
}

/**
 * Everything that a Pulumi program registers, in order of name and type. Runs the program against mocks, with outputs
 * as after an update.
 */
export async function recordRegistrations(
  program: () => void,
  { outputs = {}, preview = false }: { outputs?: Record<string, Record<string, unknown>>; preview?: boolean } = {},
): Promise<Registration[]> {
  const requests: Request[] = [];
  fakeClouds();
  const mocks: pulumi.runtime.Mocks = {
    call: ({ inputs }) => inputs as Record<string, unknown>,
    newResource: ({ type, name, inputs }) => ({
      id: `${name}-id`,
      state: { ...(inputs as object), ...outputsOf(type, name, inputs as Record<string, unknown>), ...outputs[name] },
    }),
  };
  await pulumi.runtime.setMocks(mocks, "kubewright", "dev", preview);
  const register = MockMonitor.prototype.registerResource;
  MockMonitor.prototype.registerResource = function (this: MockMonitor, request: Request, done: never) {
    requests.push(request);
    return register.call(this, request, done);
  };
  try {
    program();
    await settled(requests);
  } finally {
    MockMonitor.prototype.registerResource = register;
  }
  return requests.map(registrationOf).sort((one, other) => label(one).localeCompare(label(other)));
}

/**
 * Waits until no more resources are registered: promises that lead to further registrations may follow an answered
 * request.
 */
async function settled(requests: readonly Request[]): Promise<void> {
  for (let count = -1; count !== requests.length;) {
    count = requests.length;
    await waitForRPCs();
    await new Promise((done) => setImmediate(done));
    await waitForRPCs();
  }
}

function registrationOf(request: Request): Registration {
  const [parent, deletedWith] = [request.getParent(), request.getDeletedwith()];
  return {
    type: request.getType(),
    name: request.getName(),
    ...(parent ? { parent: reference(parent) } : {}),
    dependsOn: request.getDependenciesList().map(reference).sort(),
    ...(deletedWith ? { deletedWith: reference(deletedWith) } : {}),
    ignoreChanges: request.getIgnorechangesList(),
    inputs: request.getObject()?.toJavaScript() ?? {},
  };
}

/** `urn:pulumi:dev::kubewright::parent$type::name` as `type name`. */
function reference(urn: string): string {
  const [, , type = "", name = ""] = urn.split("::");
  return `${type.slice(type.lastIndexOf("$") + 1)} ${name}`;
}

export function label({ type, name }: Pick<Registration, "type" | "name">): string {
  return `${type} ${name}`;
}

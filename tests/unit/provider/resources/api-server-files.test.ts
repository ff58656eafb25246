import { expect, test } from "vitest";
import { apiServerFilesResource as resource } from "../../../../provider/resources/api-server-files";
import { MemoryMachine } from "../../../support/memory-machine";

const MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml";
const KEPT = `/var/lib/kubewright/kubeadm/previous${MANIFEST}`;
const [FIRST, SECOND, THIRD] = ["1", "2", "3"].map((name) => `/etc/kubewright/apiserver/audit-${name}.yaml`) as [
  string,
  string,
  string,
];

class ControlPlane extends MemoryMachine {
  inputs: { files: Record<string, string> } = { files: {} };
  outputs: { paths?: string[] } = {};

  /** Creates or updates the resource with one file. */
  async apply(path: string): Promise<void> {
    const inputs = { ...this.target, files: { [path]: `content of ${path}` } };
    const old = { inputs: { ...this.target, ...this.inputs }, outputs: this.outputs };
    this.outputs = (
      this.outputs.paths
        ? await resource.update?.(this.context(), "id", inputs, old)
        : (await resource.create(this.context(), inputs)).outputs
    ) as { paths: string[] };
    this.inputs = inputs;
  }

  uses(path: string, manifest = MANIFEST): this {
    this.files.set(manifest, { content: `- --audit-policy-file=${path}\n`, mode: "0600" });
    return this;
  }

  get existing(): string[] {
    return [...this.files.keys()].filter((path) => path.startsWith("/etc/kubewright/")).sort();
  }
}

test("a file can be read by root alone", async () => {
  const machine = new ControlPlane();
  await machine.apply(FIRST);
  expect(machine.files.get(FIRST)).toEqual({ content: `content of ${FIRST}`, mode: "0600" });
});

test("a file that the API server uses stays until it uses another one", async () => {
  const machine = new ControlPlane();
  await machine.apply(FIRST);
  await machine.uses(FIRST).apply(SECOND);
  expect(machine.existing).toEqual([FIRST, SECOND]);
  await machine.uses(SECOND).apply(THIRD);
  expect(machine.existing).toEqual([SECOND, THIRD]);
  expect(machine.outputs).toEqual({ paths: [SECOND, THIRD] });
});

test("a file stays to which an interrupted change may return", async () => {
  const machine = new ControlPlane();
  await machine.apply(FIRST);
  await machine.uses(SECOND).uses(FIRST, KEPT).apply(THIRD);
  expect(machine.existing).toEqual([FIRST, THIRD]);
});

test("a delete removes all files but those that the API server uses", async () => {
  const machine = new ControlPlane();
  await machine.apply(FIRST);
  await machine.uses(FIRST).apply(SECOND);
  const recorded = { inputs: { ...machine.target, ...machine.inputs }, outputs: machine.outputs };
  await resource.delete?.(machine.context(), "id", recorded);
  expect(machine.existing).toEqual([FIRST]);
  machine.files.delete(MANIFEST);
  await resource.delete?.(machine.context(), "id", recorded);
  expect(machine.existing).toEqual([]);
});

test("a refresh finds a changed and a missing file", async () => {
  const machine = new ControlPlane();
  await machine.apply(FIRST);
  const recorded = { inputs: { ...machine.target, ...machine.inputs }, outputs: machine.outputs };
  const read = () => resource.read?.(machine.context(), "id", recorded);
  expect(await read()).toEqual(recorded);
  machine.files.set(FIRST, { content: "other", mode: "0600" });
  expect(await read()).toMatchObject({ inputs: { files: { [FIRST]: "other" } } });
  machine.files.delete(FIRST);
  expect(await read()).toBeUndefined();
});

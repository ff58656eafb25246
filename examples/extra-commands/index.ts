import { join } from "node:path";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { Cluster, DockerMachines, type Machine, commandConnection } from "kubewright";

const { machines } = new DockerMachines("extra", { names: ["boss", "hand"], keyFolder: join(process.cwd(), ".keys") });
const [boss, ...hands] = machines as [Machine, ...Machine[]];
const cluster = new Cluster("extra", {
  version: "1.36.3",
  controlPlanes: [boss],
  pools: [{ name: "workers", machines: hands }],
});

// `joined` is there once the worker is Ready: a command of your own, on every worker after its join.
const greetings = hands.map(
  (machine) =>
    new command.remote.Command(
      `${machine.name}-greets`,
      { connection: commandConnection(machine), create: "test -e /etc/kubernetes/kubelet.conf && hostname" },
      { dependsOn: cluster.joined(machine.name) },
    ).stdout,
);

export const greeted = pulumi.all(greetings);

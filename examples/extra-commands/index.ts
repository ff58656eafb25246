import { join } from "node:path";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { Cluster, DockerMachines, type Machine, commandConnection } from "kubewright";

const local = new DockerMachines("extra", {
  names: ["control-plane-1", "worker-1"],
  keyFolder: join(process.cwd(), ".keys"),
});
const [controlPlane, ...workers] = local.machines as [Machine, ...Machine[]];

const cluster = new Cluster("extra", {
  version: "1.36.3",
  controlPlanes: [controlPlane],
  pools: [
    {
      name: "workers",
      machines: workers,
      // The scripts run on every worker. Each one is a resource of its own.
      commands: {
        afterJoin: [{ name: "record", script: 'echo "$KUBEWRIGHT_NODE" > /root/joined' }],
        beforeDrain: [{ name: "record", script: "rm -f /root/joined" }],
        afterUpgrade: [{ name: "record", script: 'echo "$KUBEWRIGHT_VERSION" > /root/upgraded' }],
      },
    },
  ],
});

// A command whose output the program uses. `cluster.joined(name)` exists once the worker is Ready.
const hostnames = workers.map(
  (machine) =>
    new command.remote.Command(
      `${machine.name}-hostname`,
      { connection: commandConnection(machine), create: "test -e /etc/kubernetes/kubelet.conf && hostname" },
      { dependsOn: cluster.joined(machine.name) },
    ).stdout,
);

export const joinedWorkers = pulumi.all(hostnames);

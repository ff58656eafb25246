import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { createFromConfig } from "./components/configured-cluster";
import { readConfig } from "./components/program/program-config";

const stack = pulumi.getStack();
const folder = join(process.cwd(), ".kubewright", stack);

export const { kubeconfigPath, kubectlPath, artifactSource, stackId } = createFromConfig(readConfig(), {
  name: stack,
  folder,
  kubeconfig: "kubeconfig",
});

import type { Args } from "../kubeadm-args";
import { template } from "../template";
import type { ComponentName } from "./arguments";
import { flagList } from "./static-pod";

interface Service {
  description: string;
  documentation: string;
  after: string;
  /** With `notify`, the component tells systemd when it is ready. */
  type: "notify" | "exec";
}

const DOCUMENTATION = "https://kubernetes.io/docs/reference/command-line-tools-reference";
const SERVICES: Record<ComponentName, Service> = {
  etcd: { description: "etcd", documentation: "https://etcd.io/docs", after: "", type: "notify" },
  "kube-apiserver": {
    description: "Kubernetes API server",
    documentation: `${DOCUMENTATION}/kube-apiserver/`,
    after: "etcd.service",
    type: "notify",
  },
  "kube-scheduler": {
    description: "Kubernetes scheduler",
    documentation: `${DOCUMENTATION}/kube-scheduler/`,
    after: "kube-apiserver.service",
    type: "exec",
  },
  "kube-controller-manager": {
    description: "Kubernetes controller manager",
    documentation: `${DOCUMENTATION}/kube-controller-manager/`,
    after: "kube-apiserver.service",
    type: "exec",
  },
};

/** Returns the path of a component's binary on a machine, for components that do not run in an image. */
export function binaryPath(name: ComponentName): string {
  return `/usr/local/bin/${name}`;
}

/** Renders the systemd unit of a component. Flags are on separate lines, so that a diff shows the one that changed. */
export function componentUnit(name: ComponentName, args: Args): string {
  const { description, documentation, after, type } = SERVICES[name];
  const command = [binaryPath(name), ...flagList(args).map(systemdWord)].join(" \\\n  ");
  return template("components/component.service", {
    DESCRIPTION: description,
    DOCUMENTATION: documentation,
    AFTER: ["network-online.target", after].filter(Boolean).join(" "),
    TYPE: type,
    COMMAND: command,
  });
}

/** Quotes a word in ExecStart: systemd.service(5), "Command lines", and systemd.unit(5), "Specifiers". */
function systemdWord(word: string): string {
  const literal = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"'\\;]/.test(literal) ? `"${literal.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : literal;
}

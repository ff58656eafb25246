import { RUNTIMES } from "../../common/runtime";
import { RUNGS } from "../../render/rung";
import { SHELLS } from "../terminal/completion";
import { LOG_SOURCES } from "../nodes/log-script";
import { PROJECT_COMMANDS } from "../engine/commands";
import { BACKUP_COMMANDS } from "../backup/commands";
import { NODE, NODE_COMMANDS, YES } from "../nodes/commands";
import { ROTATION_COMMANDS } from "../rotation/commands";
import type { CommandDefinition, OptionDefinition } from "../terminal/command-line";

const JSON_OUTPUT: OptionDefinition = ["--json", "print JSON"];
const REFRESH: OptionDefinition = ["--refresh", "read every machine first"];

/** What \`report --svg\` draws. */
const PICTURES = ["map", "timeline"];

/** Exit code of `status` and `check` where they could not check the cluster. */
export const NOT_CHECKED = 3;

/** All commands that users run, by the name of their module in this folder. */
export const COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  up: {
    name: "up",
    summary: "Creates the cluster, or changes it to match the configuration.",
    details:
      "On a terminal it shows the plan and asks for confirmation before it disrupts an existing cluster. " +
      "It can be interrupted with Ctrl-C at any time: the next run continues.",
    hasConfig: true,
    options: [
      REFRESH,
      YES,
      ["--restore-from <id>", "create the cluster from a backup, or the latest, if its control planes are lost"],
    ],
    examples: [
      ["", "create or update the cluster of stack dev"],
      ["--config workers.count=3", "change the configuration, then update"],
      ["--refresh", "repair what was changed on the machines"],
      ["--stack lab --yes", "update stack lab without a question"],
      ["--restore-from latest", "replace lost control planes, with the state of the newest backup"],
    ],
  },
  down: {
    name: "down",
    summary: "Deletes the cluster and its created machines, and removes Kubernetes from machines of yours.",
    details: "It also cleans up after an interrupted run, and without a state. Without a terminal it requires --yes.",
    options: [YES, ["--force", "delete the local machines and the state even if machines cannot be cleaned"]],
    examples: [
      ["", "delete stack dev"],
      ["--stack lab --yes", "delete stack lab without a question"],
    ],
  },
  preview: {
    name: "preview",
    summary: "Shows what the next update would change.",
    details: "Exit codes: 0 nothing would change, 2 something would change, 1 the preview failed.",
    hasConfig: true,
    options: [REFRESH, ["--markdown", "print Markdown, for a comment on a pull request"], JSON_OUTPUT],
    examples: [
      ["", "preview the configuration"],
      ["--markdown", "print a comment for a pull request"],
      ["--config kubernetes.version=1.36.3", "preview a configuration without saving it"],
    ],
  },
  drift: {
    name: "drift",
    summary: "Reads every machine and lists what differs from the configuration.",
    details: "Exit codes: 0 no drift, 2 drift, 1 a machine could not be read.",
    options: [JSON_OUTPUT],
    examples: [["", "list the drift of stack dev"]],
  },
  status: {
    name: "status",
    summary: "Shows the health of nodes, pods and certificates.",
    details: "Exit codes: 0 healthy, 1 unhealthy, 3 the cluster could not be checked.",
    failureCode: NOT_CHECKED,
    options: [
      ["--certificates", "list every certificate on every machine"],
      ["--drift", "also read every machine and list what differs from the configuration"],
      ["--watch", "print the status every 5 seconds, until Ctrl-C"],
      JSON_OUTPUT,
    ],
    examples: [
      ["", "show the status of stack dev"],
      ["--drift --json", "everything, for programs"],
    ],
  },
  check: {
    name: "check",
    summary: "Checks that pods start, reach each other, and can be reached through the API.",
    details:
      "It starts a pod on each node, with an image that it already has, in a namespace of its own that it removes. " +
      "Exit codes: 0 everything works, 1 a check failed, 3 the cluster could not be checked.",
    failureCode: NOT_CHECKED,
    options: [
      ["--cis", "compare the cluster with the CIS Kubernetes Benchmark instead (docs/hardening.md)"],
      JSON_OUTPUT,
    ],
    examples: [
      ["", "check the cluster of stack dev"],
      ["--cis", "prove what the CIS Benchmark asks, with evidence from every machine"],
    ],
  },
  kubeconfig: {
    name: "kubeconfig",
    summary: "Prints the path of the cluster's kubeconfig.",
    details:
      "With --merge it adds the cluster to your own kubeconfig instead: the first file of KUBECONFIG, or " +
      "~/.kube/config. `down` removes it from there.",
    options: [["--merge", "add the context kubewright-<stack> to your kubeconfig, and make it the current one"]],
    examples: [
      ["", "print the path, for the variable KUBECONFIG"],
      ["--merge", "use the cluster in every shell"],
    ],
  },
  logs: {
    name: "logs",
    summary: "Prints the logs of the kubelet, the container runtime and the static pods, of one node or of all.",
    arguments: [["[node]", "name of the node (default: all nodes)"]],
    options: [
      ["--source <source>", "print only these logs", LOG_SOURCES],
      ["--since <duration>", "begin this long ago, such as 30s, 10m, 2h or 1d (default: 10m)"],
      ["--follow", "print new lines as they are written, until Ctrl-C"],
    ],
    examples: [
      ["worker-1 --source kubelet --since 1h", "print what the kubelet of worker-1 wrote in the last hour"],
      ["--follow", "follow the logs of all nodes"],
    ],
  },
  report: {
    name: "report",
    summary: "Writes a page with a map of the cluster, its health, and the last run as a timeline.",
    details:
      "The page is one HTML file that loads nothing. What the cluster does not answer is marked as not asked. The " +
      "path of the file is printed.",
    options: [
      ["--output <file>", "file to write (default: kubewright-report-<stack>.html in the current folder)"],
      ["--svg <picture>", "write one picture as SVG instead, for a page or a pull request", PICTURES],
      ["--offline", "read only the state and the last run on this computer"],
    ],
    examples: [
      ["", "write kubewright-report-dev.html"],
      ["--svg timeline --output run.svg", "draw what the last run did, and what it waited for"],
    ],
  },
  support: {
    name: "support",
    summary: "Writes an archive for a bug report: versions, configuration, state, status, events and logs.",
    details:
      "Secrets are removed: passwords, tokens, private keys and the passphrase. Names and addresses of machines are " +
      "kept. Read the files before you send them. Nodes that do not answer are noted. The path of the archive is " +
      "printed.",
    options: [["--output <file>", "file to write (default: kubewright-support-<stack>-<time>.tar.gz here)"]],
    examples: [["", "write the archive of stack dev to the current folder"]],
  },
  ssh: {
    name: "ssh",
    summary: "Logs in to a machine with OpenSSH, or runs a command on it.",
    details:
      "It connects as Kubewright does: with the same key and jump hosts, and only to the recorded host key. The exit " +
      "code is that of ssh.",
    arguments: [NODE, ["[command...]", "command to run on the machine; write -- before options of its own"]],
    examples: [
      ["worker-1", "open a shell on worker-1"],
      ["worker-1 -- journalctl -u kubelet -n 20", "run a command on worker-1"],
    ],
  },
  upgrade: {
    name: "upgrade",
    summary: "Upgrades the cluster to another version of Kubernetes, one minor version after the other.",
    details:
      "It prints the plan first, with everything that blocks the upgrade, and asks on a terminal. Each step is an " +
      "update of the cluster with another `kubernetes.version`. After a failure or an interruption, run the same " +
      "command again: it continues.",
    options: [
      ["--to <version>", "version of Kubernetes (default: the newest in versions.yaml)"],
      ["--plan", "print the plan only"],
      ["--canary <node>", "upgrade the control planes and this worker, check the cluster, and stop"],
      ["--soak <duration>", "the cluster must stay healthy for so long before the upgrade goes on, such as 10m"],
      [
        "--pause-after <stage>",
        "stop after `control-planes`, a pool or a worker: the nodes after it keep their version",
      ],
      ["--resume", "continue a paused upgrade"],
      ["--emulate", "let the control planes behave as the version before until `--resume`, so that `--undo` works"],
      ["--undo", "return the control planes to the version before"],
      YES,
    ],
    examples: [
      ["--plan", "show the plan for the newest version"],
      ["--to 1.36.3 --pause-after control-planes", "upgrade the control planes only"],
      ["--to 1.36.3 --canary worker-1 --soak 10m", "upgrade worker-1 first, and watch the cluster for 10 minutes"],
      ["--to 1.36.3 --yes", "upgrade to 1.36.3 without a question"],
    ],
  },
  ...BACKUP_COMMANDS,
  ...NODE_COMMANDS,
  "host-key-accept": {
    name: "host-key accept",
    summary: "Accepts the changed SSH host key of a machine, such as one that was reinstalled.",
    details:
      "Compare the fingerprint with the one that the machine itself shows: " +
      "`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`.",
    arguments: [NODE, ["<fingerprint>", "fingerprint of the new key, SHA256:..."]],
    examples: [["worker-2 SHA256:VwCPj0pOHjLTOQsrGJYFHCCR7PRgGVm7bMVGsNXmrcE", "accept the new key of worker-2"]],
  },
  ladder: {
    name: "ladder",
    summary: "Builds a cluster component by component, and shows on each rung what has become possible.",
    defaultStack: "ladder",
    hasConfig: true,
    options: [["--to <rung>", "last rung", RUNGS]],
    examples: [
      ["", "climb all rungs"],
      ["--to apiserver", "stop after the API server"],
    ],
  },
  ...ROTATION_COMMANDS,
  artifacts: {
    name: "artifacts",
    summary: "Fills the cache of binaries and images, so that later runs need neither downloads nor builds.",
    hasStack: false,
    options: [
      ["--source <source>", "auto, official, modules, or the URL of a mirror (default: auto)"],
      ["--kubernetes <version>", "Kubernetes version"],
      ["--arch <arch>", "architecture of the nodes", ["amd64", "arm64"]],
      ["--runtime <runtime>", "container runtime", RUNTIMES],
      ["--extras", "include the images for examples and end-to-end tests"],
      ["--engine", "include the Pulumi engine"],
      ["--verify", "verify the hash of every cached file, and obtain damaged ones again"],
    ],
    examples: [
      ["", "fill the cache for the default version"],
      ["--kubernetes 1.35.4 --source official", "download another version"],
    ],
  },
  ...PROJECT_COMMANDS,
  completion: {
    name: "completion",
    summary: "Prints a script with which a shell completes commands and options.",
    details:
      "bash: add `source <(kubewright completion bash)` to ~/.bashrc. zsh: add the same with zsh to ~/.zshrc, after " +
      "compinit. fish: write the script to ~/.config/fish/completions/kubewright.fish.",
    arguments: [["<shell>", `shell that completes: ${SHELLS.join(", ")}`]],
    hasStack: false,
    examples: SHELLS.map((shell) => [shell, `print the script for ${shell}`] as const),
  },
};

import type { Runtime } from "../common/runtime";
import { RUNGS, type Rung, type RunAs, reaches } from "./rung";

/** The state of a cluster that is drawn. */
export interface LadderState {
  rung: Rung;
  /** Names of the machines. The first is the control plane. */
  machines: readonly string[];
  runtime: Runtime;
  runAs: RunAs;
}

/** A component that runs on machines. */
interface Component {
  /** The rung that adds it. */
  rung: Rung;
  /** The rung that changes it. */
  changedBy?: Rung;
  /** Its name and purpose. */
  text: (state: LadderState) => string;
  /** Runs on the control plane, or on every machine. */
  on: "first" | "every";
}

const unitKind = ({ runAs }: LadderState): string => (runAs === "systemd" ? "service" : "static pod");

/** From the top of a box to its bottom: components are clients of those below them. */
const COMPONENTS: readonly Component[] = [
  { rung: "dns", on: "first", text: () => "CoreDNS, on any node" },
  { rung: "dns", on: "every", text: () => "flannel: routes to the others' pods" },
  { rung: "proxy", on: "every", text: () => "kube-proxy: Services to pods" },
  { rung: "controllers", on: "first", text: (state) => `kube-controller-manager (${unitKind(state)})` },
  { rung: "scheduler", on: "first", text: (state) => `kube-scheduler (${unitKind(state)})` },
  { rung: "apiserver", on: "first", text: (state) => `kube-apiserver :6443 (${unitKind(state)})` },
  { rung: "etcd", on: "first", text: (state) => `etcd :2379 (${unitKind(state)})` },
  { rung: "kubelet", on: "first", text: () => "hello :8080 (static pod)" },
  {
    rung: "kubelet",
    changedBy: "apiserver",
    on: "every",
    text: ({ rung }) =>
      reaches(rung, "apiserver") ? "kubelet :10250, a node of the cluster" : "kubelet, alone: pods from a folder",
  },
  {
    rung: "kubelet",
    on: "every",
    text: ({ runtime }) => (runtime === "docker" ? "cri-dockerd ── Docker Engine" : "containerd"),
  },
];

const WIDTH = 43;

/** Draws the components of each machine at this rung, without colors. `●` marks those that the rung adds or changes. */
export function drawLadder(state: LadderState): string {
  const { rung, machines } = state;
  const position = RUNGS.indexOf(rung) + 1;
  const boxes = machines.map((machine, index) => box(machine, rowsOf(state, index === 0)));
  const height = Math.max(...boxes.map((lines) => lines.length));
  // Boxes are aligned at their bottom.
  const columns = boxes.map((lines) => [...Array<string>(height - lines.length).fill(" ".repeat(WIDTH)), ...lines]);
  const picture = Array.from({ length: height }, (_, row) =>
    columns
      .map((lines) => lines[row])
      .join("  ")
      .trimEnd(),
  );
  return [
    `rung ${position} of ${RUNGS.length}: ${rung}   ${RUNGS.map((one) => (reaches(rung, one) ? "■" : "□")).join("")}`,
    ...picture,
    "",
  ].join("\n");
}

function rowsOf(state: LadderState, isFirst: boolean): string[] {
  const components = COMPONENTS.filter(({ on, rung }) => (isFirst || on === "every") && reaches(state.rung, rung));
  return components.map(
    ({ rung, changedBy, text }) => `${[rung, changedBy].includes(state.rung) ? "●" : " "} ${text(state)}`,
  );
}

function box(title: string, rows: readonly string[]): string[] {
  const inside = WIDTH - 4;
  const line = (text: string): string => `│ ${text.slice(0, inside).padEnd(inside)} │`;
  const name = ` ${title.slice(0, inside - 2)} `;
  return [`┌─${name}${"─".repeat(inside + 1 - name.length)}┐`, ...rows.map(line), `└${"─".repeat(WIDTH - 2)}┘`];
}

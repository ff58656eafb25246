import type { Runtime } from "../common/runtime";
import { RUNGS, type Rung, type RunAs, reaches } from "./rung";

export interface LadderScene {
  rung: Rung;
  /** Names; the first is the control plane. */
  machines: readonly string[];
  runtime: Runtime;
  runAs: RunAs;
}

/** A thing that runs, from the rung on that brings it. */
interface Part {
  rung: Rung;
  /** The rung that changes it. */
  changedBy?: Rung;
  /** Its name, and to whom it talks. */
  text: (scene: LadderScene) => string;
  /** On the control plane, or on every machine. */
  on: "first" | "every";
}

const COMPONENT = ({ runAs }: LadderScene): string => (runAs === "systemd" ? "service" : "static pod");

/** From the top of a box to its bottom: who is above talks to who is below. */
const PARTS: readonly Part[] = [
  { rung: "dns", on: "first", text: () => "CoreDNS, on any node" },
  { rung: "dns", on: "every", text: () => "flannel: routes to the others' pods" },
  { rung: "proxy", on: "every", text: () => "kube-proxy: Services to pods" },
  { rung: "controllers", on: "first", text: (scene) => `kube-controller-manager (${COMPONENT(scene)})` },
  { rung: "scheduler", on: "first", text: (scene) => `kube-scheduler (${COMPONENT(scene)})` },
  { rung: "apiserver", on: "first", text: (scene) => `kube-apiserver :6443 (${COMPONENT(scene)})` },
  { rung: "etcd", on: "first", text: (scene) => `etcd :2379 (${COMPONENT(scene)})` },
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

/** What runs on each machine at this rung, with `●` before what the rung has brought. Pure: text of lines, without colours. */
export function ladderDrawing(scene: LadderScene): string {
  const { rung, machines } = scene;
  const place = RUNGS.indexOf(rung) + 1;
  const boxes = machines.map((machine, index) => box(machine, rowsOf(scene, index === 0)));
  const height = Math.max(...boxes.map((lines) => lines.length));
  // Machines stand on the same floor: what a worker lacks is air above it.
  const columns = boxes.map((lines) => [...Array<string>(height - lines.length).fill(" ".repeat(WIDTH)), ...lines]);
  const picture = Array.from({ length: height }, (_, row) =>
    columns
      .map((lines) => lines[row])
      .join("  ")
      .trimEnd(),
  );
  return [
    `rung ${place} of ${RUNGS.length}: ${rung}   ${RUNGS.map((one) => (reaches(rung, one) ? "■" : "□")).join("")}`,
    ...picture,
    "",
  ].join("\n");
}

function rowsOf(scene: LadderScene, first: boolean): string[] {
  const here = PARTS.filter((part) => (first || part.on === "every") && reaches(scene.rung, part.rung));
  return here.map((part) => `${[part.rung, part.changedBy].includes(scene.rung) ? "●" : " "} ${part.text(scene)}`);
}

function box(title: string, rows: readonly string[]): string[] {
  const inside = WIDTH - 4;
  const line = (text: string): string => `│ ${text.slice(0, inside).padEnd(inside)} │`;
  const name = ` ${title.slice(0, inside - 2)} `;
  return [`┌─${name}${"─".repeat(inside + 1 - name.length)}┐`, ...rows.map(line), `└${"─".repeat(WIDTH - 2)}┘`];
}

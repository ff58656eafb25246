import { byNumber } from "../../provider/preview/step";
import type { NodeStatus } from "../nodes/cluster-status";
import { pluralize } from "../terminal/text";
import { fitText } from "./format";
import { element, type Markup } from "./markup";
import { PICTURE_WIDTH, polyline, rectangle, textAt, type Box, type Picture } from "./picture";
import { answerOf, type ClusterMap, type ClusterReport, type MapMachine } from "./report-data";

const MARGIN = 24;
/** Space beside the groups, for the lines that join them. */
const SIDE = 40;
const GAP = 72;
const POOL_GAP = 24;
const CARD = { width: 164, height: 74, gap: 12 };
const HEAD = 44;
const PADDING = 20;
const LEFT = MARGIN + SIDE;
const WIDTH = PICTURE_WIDTH - 2 * LEFT;

interface Group extends Box {
  title: string;
  /** What runs on each machine. */
  note: string;
  machines: readonly MapMachine[];
}

/** Draws the machines of a cluster, and what talks to what. */
export function mapPicture({ map, nodes, stack }: Pick<ClusterReport, "map" | "nodes" | "stack">): Picture {
  const clients: Box = { x: LEFT, y: MARGIN, width: WIDTH, height: 56 };
  const groups = groupsOf(map, clients.y + clients.height + GAP);
  const last = groups.at(-1) ?? { y: clients.y, height: clients.height };
  const network: Box = { x: LEFT, y: last.y + last.height + POOL_GAP, width: WIDTH, height: 48 };
  const status = new Map((answerOf(nodes) ?? []).map((node) => [node.name, node]));
  return {
    width: PICTURE_WIDTH,
    height: network.y + network.height + MARGIN,
    title: `Map of the cluster ${stack}`,
    description: describe(groups, map),
    content: [
      ...links(map, clients, groups, network),
      ...drawClients(clients, map),
      ...groups.flatMap((group) => drawGroup(group, status)),
      ...drawNetwork(network, map),
    ],
  };
}

function describe(groups: readonly Group[], { hasBalancers }: ClusterMap): string {
  const counts = groups.map(({ title, machines }) => `${title}: ${machines.map(({ name }) => name).join(", ")}`);
  const api = hasBalancers
    ? "Each node reaches the API servers through its own balancer."
    : "Nodes reach the API server of the control plane.";
  return `${counts.join(". ")}. ${api}`;
}

function groupsOf({ machines }: ClusterMap, top: number): Group[] {
  const pools = [...new Set(machines.filter(({ isControlPlane }) => !isControlPlane).map(({ pool }) => pool))];
  const members = (name?: string) =>
    machines
      .filter(({ pool, isControlPlane }) => (name === undefined ? isControlPlane : !isControlPlane && pool === name))
      .sort((one, other) => byNumber(one.name, other.name));
  let y = top;
  return [undefined, ...pools].map((name) => {
    const group = groupOf(name, members(name), y);
    y += group.height + (name === undefined ? GAP : POOL_GAP);
    return group;
  });
}

function groupOf(name: string | undefined, machines: readonly MapMachine[], y: number): Group {
  const rows = Math.ceil(machines.length / COLUMNS);
  const count = pluralize(machines.length, "machine");
  return {
    ...{ x: LEFT, y, width: WIDTH, height: HEAD + rows * (CARD.height + CARD.gap) - CARD.gap + PADDING },
    title: name === undefined ? `Control plane, ${count}` : `Pool ${name}, ${count}`,
    note:
      name === undefined
        ? "API server, etcd, scheduler and controller manager on each"
        : "kubelet, container runtime and pods",
    machines,
  };
}

const COLUMNS = Math.floor((WIDTH - 2 * PADDING + CARD.gap) / (CARD.width + CARD.gap));

function drawGroup(group: Group, status: ReadonlyMap<string, NodeStatus>): Markup[] {
  const { x, y, width, title, note, machines } = group;
  return [
    rectangle(group, "group", 10),
    textAt(title, { x: x + PADDING, y: y + 28, class: "strong" }),
    textAt(note, { x: x + width - PADDING, y: y + 28, class: "small muted", anchor: "end" }),
    ...machines.flatMap((machine, index) => drawCard(machine, cardBox(group, index), status)),
  ];
}

function cardBox({ x, y }: Box, index: number): Box {
  const column = index % COLUMNS;
  const row = Math.floor(index / COLUMNS);
  return {
    x: x + PADDING + column * (CARD.width + CARD.gap),
    y: y + HEAD + row * (CARD.height + CARD.gap),
    width: CARD.width,
    height: CARD.height,
  };
}

function drawCard(machine: MapMachine, box: Box, status: ReadonlyMap<string, NodeStatus>): Markup[] {
  const node = status.get(machine.name);
  const { text, color } = stateOf(node, status.size > 0);
  const [x, room] = [box.x + 14, box.width - 28];
  return [
    rectangle(box, "card", 8, `${machine.name}, ${machine.address}, ${machine.hardware}, ${text}`),
    element("circle", { cx: x + 4, cy: box.y + 20, r: 4, class: `dot ${color}`.trim() }),
    textAt(fitText(machine.name, room - 16, 13), { x: x + 16, y: box.y + 24.5, class: "strong" }),
    textAt(fitText(machine.address, room, 12), { x, y: box.y + 44, class: "small muted" }),
    textAt(fitText([text, ...podsOf(node)].join(", "), room, 12), { x, y: box.y + 62, class: "small muted" }),
  ];
}

function podsOf(node: NodeStatus | undefined): string[] {
  return node ? [pluralize(node.pods, "pod")] : [];
}

function stateOf(node: NodeStatus | undefined, isAsked: boolean): { text: string; color: string } {
  if (!node) return { text: isAsked ? "no node" : "not asked", color: isAsked ? "danger" : "muted" };
  if (!node.ready) return { text: "NotReady", color: "danger" };
  return { text: node.cordoned ? "cordoned" : "Ready", color: node.cordoned ? "danger" : "" };
}

function drawClients(box: Box, { externalEndpoint }: ClusterMap): Markup[] {
  const target = externalEndpoint === undefined ? "a control plane that is ready" : externalEndpoint;
  return [
    rectangle(box, "group", 10),
    textAt("This computer", { x: box.x + PADDING, y: box.y + 33, class: "strong" }),
    textAt(`kubectl through ${target}; Kubewright through SSH to every machine`, {
      ...{ x: box.x + box.width - PADDING, y: box.y + 33, class: "small muted", anchor: "end" },
    }),
  ];
}

function drawNetwork(box: Box, { network }: ClusterMap): Markup[] {
  const text = network ? `pods ${network.podCidr}, services ${network.serviceCidr}` : "addresses are not known";
  return [
    rectangle(box, "group", 10),
    textAt(network ? `Pod network, ${network.plugin}` : "Pod network", {
      ...{ x: box.x + PADDING, y: box.y + 29, class: "strong" },
    }),
    textAt(text, { x: box.x + box.width - PADDING, y: box.y + 29, class: "small muted", anchor: "end" }),
  ];
}

/** Left: to the API servers. Right: between pods. Between the boxes: this computer. */
function links(map: ClusterMap, clients: Box, groups: readonly Group[], network: Box): Markup[] {
  const [controlPlane, ...pools] = groups;
  if (!controlPlane) return [];
  const bottom = controlPlane.y + controlPlane.height;
  const from = clients.y + clients.height;
  return [
    ...arrow([LEFT + 40, from], [LEFT + 40, controlPlane.y], "main"),
    textAt("HTTPS to port 6443", { x: LEFT + 54, y: from + GAP / 2 + 4, class: "small" }),
    ...arrow([LEFT + WIDTH - 40, from], [LEFT + WIDTH - 40, controlPlane.y], ""),
    textAt("SSH, to the machines of the pools too", {
      ...{ x: LEFT + WIDTH - 54, y: from + GAP / 2 + 4, class: "small", anchor: "end" },
    }),
    ...apiLinks(map, controlPlane, pools),
    ...networkLinks(groups, network),
    ...(pools.length > 0
      ? [textAt("pods", { x: LEFT + WIDTH, y: bottom + GAP / 2 + 4, class: "small", anchor: "end" })]
      : []),
  ];
}

function apiLinks({ hasBalancers }: ClusterMap, controlPlane: Box, pools: readonly Group[]): Markup[] {
  const [x, top] = [MARGIN + SIDE / 2 - 4, controlPlane.y + controlPlane.height / 2];
  const lowest = pools.at(-1);
  if (!lowest) return [];
  const text = hasBalancers
    ? "kubelets and pods: the balancer of each node (7443), then port 6443 of every control plane"
    : "kubelets and pods: port 6443 of the control plane";
  const end = lowest.y + lowest.height / 2;
  return [
    ...arrow([x, end], [LEFT, top], "main", [x, top]),
    ...pools.map((pool) => horizontal(x, LEFT, pool.y + pool.height / 2, "main")),
    textAt(text, { x: LEFT, y: controlPlane.y + controlPlane.height + GAP / 2 + 4, class: "small" }),
  ];
}

function networkLinks(groups: readonly Group[], network: Box): Markup[] {
  const x = LEFT + WIDTH + SIDE / 2 + 4;
  const heights = [...groups, network].map(({ y, height }) => y + height / 2);
  return [
    polyline(
      [
        [x, Math.min(...heights)],
        [x, Math.max(...heights)],
      ],
      "link dotted",
    ),
    ...heights.map((y) => horizontal(LEFT + WIDTH, x, y, "dotted")),
  ];
}

function horizontal(from: number, to: number, y: number, kind: string): Markup {
  return polyline(
    [
      [from, y],
      [to, y],
    ],
    `link ${kind}`.trim(),
  );
}

type Point = readonly [x: number, y: number];

/** A line with a tip at its end. @param over a point between both ends */
function arrow(from: Point, to: Point, kind: string, over?: Point): Markup[] {
  const [x, y] = to;
  const before = over ?? from;
  const tip =
    before[1] === y ? `${x},${y} ${x - 8},${y - 5} ${x - 8},${y + 5}` : `${x},${y} ${x - 5},${y - 8} ${x + 5},${y - 8}`;
  return [
    polyline([from, ...(over ? [over] : []), to], `link ${kind}`.trim()),
    element("polygon", { points: tip, class: `tip ${kind}`.trim() }),
  ];
}

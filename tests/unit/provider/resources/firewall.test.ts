import { beforeEach, expect, test } from "vitest";
import { firewallResource } from "../../../../provider/resources/firewall";
import { MemoryMachine } from "../../../support/memory-machine";

/** A machine with a firewall that understands the verbs of firewall.sh. */
class FirewallMachine extends MemoryMachine {
  readonly open = new Set<string>();
  firewall = "firewalld";
  isStuck = false;

  constructor() {
    super();
    this.on(/^verb=/, (script) => {
      const value = (key: string) => new RegExp(`^${key}='?([^'\n]*)`, "m").exec(script)?.[1] ?? "";
      const rules = `${value("ports")} ${value("ranges")}`.split(" ").filter(Boolean);
      const state = `firewall=${this.firewall}\n`;
      if (this.firewall === "none") return state;
      if (value("verb") === "close") rules.forEach((rule) => this.open.delete(rule));
      if (value("verb") === "open" && !this.isStuck) rules.forEach((rule) => this.open.add(rule));
      const missing = value("verb") === "missing" ? rules.filter((rule) => !this.open.has(rule)) : [];
      return state + missing.map((rule) => `missing=${rule}\n`).join("");
    });
  }

  get changes() {
    return this.scripts.filter((script) => !script.startsWith("verb=missing"));
  }
}

let machine: FirewallMachine;
let messages: string[];
beforeEach(() => {
  machine = new FirewallMachine();
  messages = [];
});
const PORTS = ["10250/tcp", "30000-32767/udp"];
const RANGES = ["10.244.0.0/16"];
const inputs = (ports = PORTS, ranges = RANGES) => ({ ...machine.target, ports, ranges });
const recorded = (ports = PORTS, ranges = RANGES) => ({ inputs: inputs(ports, ranges), outputs: { firewall: "x" } });
const context = () => machine.context({ info: (message) => void messages.push(message) });
const create = () => firewallResource.create(context(), inputs());

test("the missing rules are opened and reported", async () => {
  machine.open.add("10250/tcp");
  expect(await create()).toEqual({ id: "a1/firewall", outputs: { firewall: "firewalld" } });
  expect([...machine.open].sort()).toEqual([...RANGES, ...PORTS].sort());
  expect(messages).toEqual(["worker-1 (10.0.0.1): firewalld stays active; opened 30000-32767/udp 10.244.0.0/16"]);
});

test("nothing changes where no firewall is active, or all rules are open", async () => {
  machine.firewall = "none";
  expect((await create()).outputs).toEqual({ firewall: "none" });
  machine.firewall = "ufw";
  [...PORTS, ...RANGES].forEach((rule) => machine.open.add(rule));
  expect((await create()).outputs).toEqual({ firewall: "ufw" });
  expect(machine.changes).toEqual([]);
  expect(messages).toEqual([]);
});

test("a firewall that accepts a rule and does not list it is an error", async () => {
  machine.isStuck = true;
  await expect(create()).rejects.toThrow(/firewalld does not list 10250\/tcp .* after they were opened; check its log/);
});

test("a failed change names the ports that a node needs", async () => {
  machine.on(/^verb=open/, () => ({ code: 1, stderr: "FirewallD is not running" }));
  await expect(create()).rejects.toThrow(
    /changing the firewall failed on worker-1.*: FirewallD is not running; check .*a node needs 10250\/tcp/,
  );
});

test("a refresh reports closed rules and the active firewall", async () => {
  await create();
  machine.open.delete("10250/tcp");
  const read = await firewallResource.read!(context(), "id", recorded());
  expect(read).toEqual({ inputs: inputs(["30000-32767/udp"]), outputs: { firewall: "firewalld" } });
});

test("an update closes withdrawn rules, and leaves rules of others", async () => {
  await create();
  machine.open.add("22/tcp");
  await firewallResource.update!(context(), "id", inputs(["10250/tcp"], ["10.245.0.0/16"]), recorded());
  expect([...machine.open].sort()).toEqual(["10.245.0.0/16", "10250/tcp", "22/tcp"]);
});

test("a delete closes the node's rules only", async () => {
  await create();
  machine.open.add("22/tcp");
  await firewallResource.delete!(context(), "id", recorded());
  expect([...machine.open]).toEqual(["22/tcp"]);
});

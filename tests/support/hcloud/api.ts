import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { FIXED, IMAGE, LOCATION, TYPE, type Body, type Item } from "./catalog";
import { LoadBalancers } from "./load-balancers";
import { Machines } from "./machines";

type Answer = [status: number, body?: object];

/**
 * Emulates Hetzner Cloud's HTTP API, as far as its Pulumi plugin uses it for our components:
 * https://docs.hetzner.cloud. Servers are local machines, load balancers forward connections; everything else is only stored. Other requests get 501 and
 * are listed in `unknown`.
 */
export class HcloudApi {
  readonly unknown: string[] = [];
  readonly requests: string[] = [];
  private readonly items = new Map<string, Map<number, Item>>();
  private readonly containers = new Map<number, string>();
  private readonly networks = new Map<number, string>();
  private readonly machines: Machines;
  private readonly balancers = new LoadBalancers((id) => this.privateAddressOf(id));
  private next = 100;

  private constructor(
    private readonly server: Server,
    private readonly stack: string,
    private readonly token: string,
  ) {
    this.machines = new Machines(stack);
  }

  static async start(stack: string, token: string): Promise<HcloudApi> {
    const server = createServer();
    const api = new HcloudApi(server, stack, token);
    server.on("request", (request, response) => void api.serve(request, response));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return api;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  list(kind: string): Item[] {
    return FIXED[kind] ?? [...(this.items.get(kind)?.values() ?? [])];
  }

  containerOf(name: string): string | undefined {
    const found = this.list("servers").find((server) => server.name === name);
    return found && this.containers.get(found.id);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
    this.balancers.removeAll();
    await this.machines.removeAll();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    this.requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    const [status, body] = await this.answer(request, text === "" ? {} : (JSON.parse(text) as Body)).catch(
      (error: unknown): Answer => [500, { error: { code: "emulator", message: String(error) } }],
    );
    response.writeHead(status, { "content-type": "application/json" }).end(body ? JSON.stringify(body) : undefined);
  }

  private async answer({ method = "", url = "", headers }: IncomingMessage, body: Body): Promise<Answer> {
    if (headers.authorization !== `Bearer ${this.token}`)
      return [401, { error: { code: "unauthorized", message: "unable to authenticate" } }];
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const [, , kind = "", id, , action] = pathname.split("/");
    if (kind === "actions") return [200, this.actions(id, searchParams)];
    if (action !== undefined) return [201, { action: await this.act(kind, Number(id), action, body) }];
    if (method === "GET")
      return id === undefined ? [200, this.listing(kind, searchParams)] : this.one(kind, Number(id));
    if (method === "POST") return [201, await this.create(kind, body)];
    if (method === "PUT") return [200, { [singular(kind)]: Object.assign(this.item(kind, Number(id)) ?? {}, body) }];
    if (method === "DELETE") return await this.remove(kind, Number(id));
    this.unknown.push(`${method} ${pathname}`);
    return [501];
  }

  private privateAddressOf(server: number): string | undefined {
    return (this.item("servers", server)?.private_net as { ip: string }[] | undefined)?.[0]?.ip;
  }

  private item(kind: string, id: number): Item | undefined {
    return this.list(kind).find((item) => item.id === id);
  }

  private one(kind: string, id: number): Answer {
    const item = this.item(kind, id);
    return item
      ? [200, { [singular(kind)]: item }]
      : [404, { error: { code: "not_found", message: `${kind} ${id} not found` } }];
  }

  private listing(kind: string, query: URLSearchParams): object {
    const name = query.get("name");
    const found = this.list(kind).filter((item) => name === null || item.name === name);
    return {
      [kind]: found,
      meta: {
        pagination: {
          page: 1,
          per_page: 50,
          previous_page: null,
          next_page: null,
          last_page: 1,
          total_entries: found.length,
        },
      },
    };
  }

  private actions(id: string | undefined, query: URLSearchParams): object {
    if (id !== undefined) return { action: done(Number(id)) };
    return {
      actions: query.getAll("id").map((one) => done(Number(one))),
      meta: {
        pagination: { page: 1, per_page: 50, previous_page: null, next_page: null, last_page: 1, total_entries: 1 },
      },
    };
  }

  private async create(kind: string, body: Body): Promise<object> {
    const id = ++this.next;
    const item: Item = {
      labels: {},
      created: new Date().toISOString(),
      protection: { delete: false, rebuild: false },
      ...body,
      id,
      ...(await this.defaultsOf(kind, id, body)),
    };
    this.items.set(kind, (this.items.get(kind) ?? new Map<number, Item>()).set(id, item));
    if (kind !== "servers") return { [singular(kind)]: item, actions: [], action: null };
    if (body.start_after_create !== false) await this.act("servers", id, "poweron", {});
    return { server: item, action: done(id), next_actions: [], root_password: null };
  }

  /** Returns the fields that the vendor adds to a request. */
  private async defaultsOf(kind: string, id: number, body: Body): Promise<object> {
    if (kind === "ssh_keys") return { fingerprint: `emulated-${id}` };
    if (kind === "networks") return { subnets: [], routes: [], servers: [], expose_routes_to_vswitch: false };
    if (kind === "firewalls") return { applied_to: [] };
    if (kind === "placement_groups") return { servers: [] };
    if (kind === "load_balancers") return this.balancers.defaultsOf(id, LOCATION);
    if (kind !== "servers") return {};
    const keys = this.list("ssh_keys")
      .filter((key) => (body.ssh_keys as number[]).includes(key.id))
      .map((key) => String(key.public_key));
    const { container, address } = await this.machines.create(id, String(body.user_data), keys);
    this.containers.set(id, container);
    const groups = this.list("placement_groups").find((group) => group.id === body.placement_group);
    return {
      status: "off",
      server_type: TYPE,
      image: IMAGE,
      location: LOCATION,
      datacenter: FIXED.datacenters?.[0],
      private_net: [],
      volumes: [],
      load_balancers: [],
      locked: false,
      rescue_enabled: false,
      backup_window: null,
      iso: null,
      primary_disk_size: 40,
      placement_group: groups ?? null,
      public_net: {
        ipv4: { id: 1, ip: address, blocked: false, dns_ptr: "" },
        ipv6: { id: 2, ip: "2001:db8::/64", blocked: false, dns_ptr: [] },
        floating_ips: [],
        firewalls: ((body.firewalls as { firewall: number }[] | undefined) ?? []).map(({ firewall }) => ({
          id: firewall,
          status: "applied",
        })),
      },
      ingoing_traffic: 0,
      outgoing_traffic: 0,
      included_traffic: 0,
    };
  }

  private async act(kind: string, id: number, action: string, body: Body): Promise<object> {
    const item = this.item(kind, id);
    if (!item) throw new Error(`there is no ${kind} ${id}`);
    if (kind === "load_balancers") {
      if (!this.balancers.act(item, action, body)) this.unknown.push(`${kind} ${action}`);
      return done(++this.next);
    }
    const container = this.containers.get(id) ?? "";
    if (action === "add_subnet") {
      this.networks.set(id, await this.machines.createNetwork(`${this.stack}-${id}`, String(body.ip_range)));
      (item.subnets as object[]).push({ ...body, gateway: "", vswitch_id: null });
    } else if (action === "delete_subnet") {
      await this.machines.removeNetwork(this.networks.get(id) ?? "");
      item.subnets = [];
    } else if (action === "attach_to_network") {
      await this.machines.attach(container, this.networks.get(Number(body.network)) ?? "", String(body.ip));
      (item.private_net as object[]).push({
        network: body.network,
        ip: body.ip,
        alias_ips: [],
        mac_address: "86:00:00:00:00:01",
      });
    } else if (action === "poweron") {
      item.status = "running";
      // The vendor's API does not wait for the boot either.
      void this.machines
        .start(container, String(item.name))
        .catch((error: unknown) => this.unknown.push(String(error)));
    } else if (action === "poweroff" || action === "shutdown") item.status = "off";
    else if (
      ![
        "detach_from_network",
        "remove_from_placement_group",
        "apply_to_resources",
        "remove_from_resources",
        "set_rules",
      ].includes(action)
    )
      this.unknown.push(`${kind} ${action}`);
    return done(++this.next);
  }

  private async remove(kind: string, id: number): Promise<Answer> {
    this.items.get(kind)?.delete(id);
    if (kind === "load_balancers") this.balancers.remove(id);
    if (kind !== "servers") return [204];
    await this.machines.remove(this.containers.get(id) ?? "");
    return [200, { action: done(++this.next) }];
  }
}

function singular(kind: string): string {
  return kind.replace(/s$/, "");
}

/** Every action is finished when it is returned. */
function done(id: number): object {
  return {
    id,
    command: "emulated",
    status: "success",
    progress: 100,
    started: "2026-01-01T00:00:00Z",
    finished: "2026-01-01T00:00:01Z",
    resources: [],
    error: null,
  };
}

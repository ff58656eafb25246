import { createServer, connect, type Server } from "node:net";
import { request } from "node:https";
import type { Body, Item } from "./catalog";

const TYPE = {
  id: 1,
  name: "lb11",
  description: "LB11",
  max_connections: 10_000,
  max_services: 5,
  max_targets: 25,
  max_assigned_certificates: 10,
  deprecated: null,
  prices: [],
};

interface Target {
  type: string;
  server: { id: number };
  use_private_ip: boolean;
}

interface Service {
  listen_port: number;
  destination_port: number;
  health_check: { http: { path: string; tls: boolean } };
}

/** Loopback addresses of load balancers: every one of 127.0.0.0/8 belongs to this computer. */
const addressOf = (id: number) => `127.0.77.${id % 250}`;

/**
 * Emulates load balancers: each forwards connections from a loopback address to the targets that pass their health
 * check, over the private network.
 */
export class LoadBalancers {
  private readonly listeners = new Map<number, Server>();

  /** @param privateAddressOf returns the private address of a server */
  constructor(private readonly privateAddressOf: (server: number) => string | undefined) {}

  /** Returns the fields that the vendor adds to a request. */
  defaultsOf(id: number, location: object): object {
    return {
      load_balancer_type: TYPE,
      location,
      algorithm: { type: "round_robin" },
      public_net: {
        enabled: true,
        ipv4: { ip: addressOf(id), dns_ptr: "" },
        ipv6: { ip: "2001:db8::80", dns_ptr: "" },
      },
      private_net: [],
      services: [],
      targets: [],
      included_traffic: 0,
      ingoing_traffic: 0,
      outgoing_traffic: 0,
    };
  }

  /** Applies an action to a load balancer. Returns false for an action that it does not know. */
  act(item: Item, action: string, body: Body): boolean {
    const services = item.services as Service[];
    const targets = item.targets as Target[];
    const isSame = (target: Target) => target.server.id === (body.server as Target["server"]).id;
    if (action === "attach_to_network") item.private_net = [{ network: body.network, ip: body.ip }];
    else if (action === "detach_from_network") item.private_net = [];
    else if (action === "add_target") item.targets = [...targets, { ...body, health_status: [] }];
    else if (action === "remove_target") item.targets = targets.filter((target) => !isSame(target));
    else if (action === "delete_service")
      item.services = services.filter(({ listen_port: port }) => port !== body.listen_port);
    else if (action === "add_service") {
      item.services = [...services, body];
      this.listen(item, body as unknown as Service);
    } else return false;
    return true;
  }

  remove(id: number): void {
    this.listeners.get(id)?.close();
    this.listeners.delete(id);
  }

  removeAll(): void {
    for (const id of [...this.listeners.keys()]) this.remove(id);
  }

  private listen(item: Item, service: Service): void {
    const server = createServer((client) => {
      client.on("error", () => client.destroy());
      void this.choose(item, service).then((address) => {
        if (address === undefined) return client.destroy();
        const target = connect(service.destination_port, address);
        target.on("error", () => client.destroy());
        client.on("close", () => target.destroy());
        target.on("close", () => client.destroy());
        client.pipe(target).pipe(client);
      });
    });
    server.listen(service.listen_port, addressOf(item.id));
    this.listeners.set(item.id, server);
  }

  /** Returns the private address of the first target that is ready. */
  private async choose(item: Item, { destination_port: port, health_check: check }: Service) {
    for (const { server, use_private_ip: isPrivate } of item.targets as Target[]) {
      const address = isPrivate ? this.privateAddressOf(server.id) : undefined;
      if (address !== undefined && (await isReady(address, port, check.http.path))) return address;
    }
    return undefined;
  }
}

/** Like the vendor's health check, without a verification of the certificate. */
function isReady(host: string, port: number, path: string): Promise<boolean> {
  return new Promise((done) => {
    const asked = request({ host, port, path, rejectUnauthorized: false, timeout: 3000 }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => done(false));
    asked.end();
  });
}

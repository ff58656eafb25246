/** The answer of `docker info`. */
export const INFO = { ServerVersion: "20.10", ID: "d", NCPU: 4, MemTotal: 8 * 2 ** 30, Architecture: "x86_64" };
export const NOT_FOUND = { code: 1, stderr: "Error: No such container: x" };

/** The machine worker-1, running, with SSH at a port of 127.0.0.1. */
export function container(changes: object = {}, labels: object = {}): { stdout: string } {
  const inspected = {
    Id: "abc",
    Name: "/kubewright-dev-worker-1",
    RestartCount: 0,
    State: { Running: true, Status: "running", ExitCode: 0 },
    Config: {
      Image: "image",
      Hostname: "worker-1",
      Labels: { "io.kubewright.stack": "dev", "io.kubewright.machine": "worker-1", ...labels },
    },
    HostConfig: { NanoCpus: 1.5e9, Memory: 2 ** 31 },
    NetworkSettings: {
      Ports: { "22/tcp": [{ HostIp: "127.0.0.1", HostPort: "32768" }], "6443/tcp": null },
      Networks: { kubewright: { IPAddress: "", IPAMConfig: { IPv4Address: "172.20.0.10" } } },
    },
    ...changes,
  };
  return { stdout: JSON.stringify(inspected) };
}

export function network(changes: object = {}): { stdout: string } {
  const inspected = {
    Id: "net",
    Name: "kubewright-dev",
    Driver: "bridge",
    Labels: { "io.kubewright.stack": "dev" },
    IPAM: { Config: [{ Subnet: "172.20.0.0/24", Gateway: "172.20.0.1" }] },
    ...changes,
  };
  return { stdout: JSON.stringify(inspected) };
}

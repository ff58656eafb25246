/** Returns the output of facts.sh on a healthy machine. */
export function factsOutput(changes: Record<string, string | number> = {}): string {
  const facts = {
    os_id: "debian",
    os_version: "13",
    arch: "x86_64",
    kernel: "6.12.0",
    hostname: "worker-1",
    machine_id: "a1",
    boot_id: "b1",
    cpus: 4,
    memory_kib: 8 << 20,
    swap_kib: 0,
    cgroup: "cgroup2fs",
    cap_sys_resource: "yes",
    conntrack_writable: "yes",
    uid: 0,
    addresses: "10.0.0.1",
    clock_ms: Date.now(),
    disk_mib: 100_000,
    disk_free_mib: 50_000,
    ports: "22",
    ...changes,
  };
  return Object.entries(facts)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}

/** The connection settings of `vagrant ssh`. */
export interface SshConfig {
  host: string;
  port: number;
  user: string;
  privateKeyPath: string;
}

/** Parses the output of `vagrant ssh-config`, by machine. */
export function parseSshConfig(text: string): Map<string, SshConfig> {
  const configs = new Map<string, SshConfig>();
  let current: SshConfig | undefined;
  for (const line of text.split("\n")) {
    const [, keyword = "", rest = ""] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
    const value = rest.replace(/^"(.*)"$/, "$1");
    if (keyword === "Host") configs.set(value, (current = { host: "", port: 22, user: "vagrant", privateKeyPath: "" }));
    else if (!current) continue;
    else if (keyword === "HostName") current.host = value;
    else if (keyword === "Port") current.port = Number(value);
    else if (keyword === "User") current.user = value;
    // Vagrant lists the machine's own key first, and fallbacks after it.
    else if (keyword === "IdentityFile" && current.privateKeyPath === "") current.privateKeyPath = value;
  }
  return configs;
}

/** Parses the states of `vagrant status --machine-readable`, by machine: `running`, `poweroff`, `not_created`. */
export function parseStatus(text: string): Map<string, string> {
  const rows = text.split("\n").map((line) => line.trim().split(","));
  return new Map(
    rows.filter(([, , type]) => type === "state").map(([, machine = "", , state = ""]) => [machine, state]),
  );
}

/** Host key types in OpenSSH's order of preference. The first that a machine has is pinned. */
const PREFERRED = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"];

/** Returns the preferred key of `cat /etc/ssh/ssh_host_*_key.pub`, without its comment. */
export function bestHostKey(text: string): string | undefined {
  const keys = text.split("\n").map((line) => line.trim().split(/\s+/).slice(0, 2));
  const best = PREFERRED.map((type) => keys.find(([keyType]) => keyType === type)).find(Boolean);
  return best?.join(" ");
}

/**
 * Returns the addresses of `ip -o -4 addr`, without those on the interface of the default route, which is Vagrant's
 * NAT.
 */
export function otherAddresses(addresses: string, defaultRoute: string): string[] {
  const first = /\bdev (\S+)/.exec(defaultRoute)?.[1];
  const rows = addresses.split("\n").map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([, name]) => name !== undefined && name !== first && name !== "lo")
    .map(([, , , cidr = ""]) => cidr.split("/")[0] ?? "")
    .filter(Boolean);
}

import { isIP } from "node:net";
import { optional } from "../../common/optional";

/**
 * The SSH route to a machine as a configuration has it. What it leaves out comes from ~/.ssh/config, or from the
 * defaults.
 */
export interface SshSettings {
  host: string;
  user?: string | undefined;
  port?: number | undefined;
  privateKeyPath?: string | undefined;
  agent?: boolean | undefined;
  password?: string | undefined;
  hostKey?: string | undefined;
  jump?: SshSettings | undefined;
}

/** What ~/.ssh/config sets for one name. */
export interface SshHostConfig {
  /** Whether a Host line names the host, and not only a pattern for all hosts. */
  isNamed: boolean;
  host?: string;
  user?: string;
  port?: number;
  /** In the order in which ssh tries them, with `~` expanded. */
  identityFiles: string[];
  /** ProxyJump: `[user@]host[:port]`, separated by commas. The last one is next to the machine. */
  jump?: string;
  hostKeyAlias?: string;
  proxyCommand?: string;
}

/** The SSH configuration of the user who runs Pulumi, as ssh itself would use it. */
export interface SshClientConfig {
  settings(name: string): SshHostConfig;
  /** The host's key in known_hosts: `ssh-ed25519 AAAA...`. */
  hostKey(name: string, port: number): string | undefined;
  /** Whether an SSH agent runs. */
  agent: boolean;
  fileExists(path: string): boolean;
  canResolve(name: string): boolean;
}

/** A user without ~/.ssh. */
export const EMPTY_SSH_CONFIG: SshClientConfig = {
  settings: () => ({ isNamed: false, identityFiles: [] }),
  hostKey: () => undefined,
  agent: false,
  fileExists: () => true,
  canResolve: () => true,
};

export interface SshRouteProblem {
  /** `host`, `jump.privateKeyPath` */
  property: string;
  reason: string;
  action: string;
}

/** Parses OpenSSH's ProxyJump, `admin@bastion:2222,inner`. Returns hops that it cannot parse unchanged, as a host. */
export function parseJump(text: string): SshSettings | undefined {
  return text.split(",").reduce<SshSettings | undefined>((outer, hop) => {
    const [, user, bracketed, plain, port] =
      /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(hop.trim()) ?? [];
    return {
      host: bracketed ?? plain ?? hop,
      ...optional({ user: user || undefined, port: port ? Number(port) : undefined, jump: outer }),
    };
  }, undefined);
}

/** The part of a route behind a jump host. */
interface RouteBehind {
  hosts: readonly string[];
  /** The machine's keys also open its jump hosts, unless they have keys of their own. */
  keys: Pick<SshSettings, "privateKeyPath" | "agent">;
}
const NOTHING_BEHIND: RouteBehind = { hosts: [], keys: {} };

/** Resolves the SSH route to a machine: explicit settings, then ~/.ssh/config, then defaults. */
export function resolveRoute<T extends SshSettings>(
  settings: T,
  client: SshClientConfig,
  behind = NOTHING_BEHIND,
): T & { port: number; user: string } {
  const configured = client.settings(settings.host);
  const host = configured.host ?? settings.host;
  const port = settings.port ?? configured.port ?? 22;
  const user = settings.user ?? configured.user ?? "root";
  const keys = resolveKeys(settings, configured, client) ?? behind.keys;
  const { hostKeyAlias } = configured;
  const hostKey = settings.hostKey ?? (hostKeyAlias ? client.hostKey(hostKeyAlias, 22) : client.hostKey(host, port));
  const jump = resolveJump(settings, configured, behind);
  const inner = { hosts: [...behind.hosts, settings.host], keys };
  return {
    ...settings,
    host,
    port,
    user,
    ...keys,
    ...optional({ hostKey, jump: jump && resolveRoute(jump, client, inner) }),
  };
}

/** Returns undefined if neither the settings nor ~/.ssh/config say how to log in. */
function resolveKeys(
  { privateKeyPath, agent, password }: SshSettings,
  { identityFiles, isNamed }: SshHostConfig,
  client: SshClientConfig,
): RouteBehind["keys"] | undefined {
  if (privateKeyPath !== undefined || agent) return optional({ privateKeyPath, agent: agent || undefined });
  const file = identityFiles.find((path) => client.fileExists(path));
  if (file !== undefined) return { privateKeyPath: file };
  if (password !== undefined) return {};
  return isNamed && client.agent ? { agent: true } : undefined;
}

/**
 * ~/.ssh/config may set ProxyJump by a pattern for all hosts, which matches the jump host as well: it is not reached
 * through itself.
 */
function resolveJump(
  { host, jump }: SshSettings,
  configured: SshHostConfig,
  { hosts }: RouteBehind,
): SshSettings | undefined {
  if (jump) return jump;
  const proxyJump =
    configured.jump === undefined || configured.jump === "none" ? undefined : parseJump(configured.jump);
  return proxyJump && [...hosts, host].includes(proxyJump.host) ? undefined : proxyJump;
}

/** Finds what is wrong with a route, in the terms of its settings. */
export function routeProblems(
  settings: SshSettings,
  client: SshClientConfig,
  behind = NOTHING_BEHIND,
): SshRouteProblem[] {
  const configured = client.settings(settings.host);
  const route = resolveRoute(settings, client, behind);
  const jump = resolveJump(settings, configured, behind);
  const { privateKeyPath, agent } = route;
  // A missing key file is reported for the machine only, not again for its jump hosts.
  const keys = optional({
    privateKeyPath: privateKeyPath !== undefined && client.fileExists(privateKeyPath) ? privateKeyPath : undefined,
    agent: agent && client.agent ? agent : undefined,
  });
  const canLogIn = Object.keys(keys).length > 0 || route.password !== undefined;
  const inner = { hosts: [...behind.hosts, settings.host], keys };
  const jumpProblems = (jump && canLogIn ? routeProblems(jump, client, inner) : []).map((problem) =>
    settings.jump ? { ...problem, property: `jump.${problem.property}` } : proxyJumpProblem(problem, jump),
  );
  return [...hostProblems(settings, route, configured, client), ...loginProblems(route, client), ...jumpProblems];
}

function proxyJumpProblem({ reason, action }: SshRouteProblem, jump: SshSettings | undefined): SshRouteProblem {
  return { property: "host", reason: `its ProxyJump ${jump?.host ?? ""} in ~/.ssh/config: ${reason}`, action };
}

function hostProblems(
  { host }: SshSettings,
  { jump }: SshSettings,
  { proxyCommand, isNamed }: SshHostConfig,
  client: SshClientConfig,
): SshRouteProblem[] {
  const problems: SshRouteProblem[] = [];
  if (proxyCommand !== undefined && proxyCommand !== "none" && !jump)
    problems.push({
      property: "host",
      reason: `${host} has a ProxyCommand in ~/.ssh/config, which is not supported`,
      action: "use ProxyJump there, or set jump here",
    });
  // The name of a machine behind a jump host is resolved by the jump host.
  if (!jump && isAlias(host) && !isNamed && !client.canResolve(host))
    problems.push({
      property: "host",
      reason: `${host} is not an alias in ~/.ssh/config, and this computer cannot resolve it`,
      action: "write its address, or add the alias to ~/.ssh/config",
    });
  return problems;
}

function loginProblems({ privateKeyPath, agent, password }: SshSettings, client: SshClientConfig): SshRouteProblem[] {
  const problems: SshRouteProblem[] = [];
  if (agent && !client.agent)
    problems.push({
      property: "agent",
      reason: "no SSH agent runs here: SSH_AUTH_SOCK is not set",
      action: "start one with ssh-agent, and add the key with ssh-add",
    });
  if (privateKeyPath !== undefined && !client.fileExists(privateKeyPath))
    problems.push({
      property: "privateKeyPath",
      reason: `there is no file ${privateKeyPath}`,
      action: "give the path of the private key on this computer",
    });
  if (privateKeyPath === undefined && !agent && password === undefined)
    problems.push({
      property: "privateKeyPath",
      reason: "is missing",
      action: "give the path of a private key, or agent: true, or a password",
    });
  return problems;
}

function isAlias(name: string): boolean {
  return isIP(name) === 0 && !name.includes(".") && name !== "localhost";
}

import { isIP } from "node:net";

/** A way into a machine as a person writes it; what is not written comes from ~/.ssh/config, or is a default. */
export interface WrittenWay {
  host: string;
  user?: string | undefined;
  port?: number | undefined;
  privateKeyPath?: string | undefined;
  agent?: boolean | undefined;
  password?: string | undefined;
  hostKey?: string | undefined;
  jump?: WrittenWay | undefined;
}

/** What ssh's configuration says of one name. */
export interface SshSettings {
  /** It is named there, and not only meant by a pattern for all. */
  known: boolean;
  host?: string;
  user?: string;
  port?: number;
  /** In the order in which ssh tries them, `~` expanded. */
  identityFiles: string[];
  /** `[user@]host[:port]`, several with commas: the last is the nearest to the machine. */
  jump?: string;
  hostKeyAlias?: string;
  proxyCommand?: string;
}

/** What this computer knows of SSH hosts, as ssh itself would use it. */
export interface SshKnowledge {
  settings(name: string): SshSettings;
  /** From known_hosts: `ssh-ed25519 AAAA...`. */
  hostKey(name: string, port: number): string | undefined;
  /** Does an agent run? */
  agent: boolean;
  fileExists(path: string): boolean;
  resolves(name: string): boolean;
}

/** For whoever has no ~/.ssh. */
export const NO_KNOWLEDGE: SshKnowledge = {
  settings: () => ({ known: false, identityFiles: [] }),
  hostKey: () => undefined,
  agent: false,
  fileExists: () => true,
  resolves: () => true,
};

export interface WayProblem {
  /** `host`, `jump.privateKeyPath` */
  property: string;
  reason: string;
  action: string;
}

/** `admin@bastion:2222,inner`: as ProxyJump has it. What is no such thing is given back as it is. */
export function parseJump(text: string): WrittenWay | undefined {
  return text.split(",").reduce<WrittenWay | undefined>((outer, hop) => {
    const [, user, bracketed, plain, port] =
      /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(hop.trim()) ?? [];
    return {
      host: bracketed ?? plain ?? hop,
      ...(user ? { user } : {}),
      ...(port ? { port: Number(port) } : {}),
      ...(outer ? { jump: outer } : {}),
    };
  }, undefined);
}

/** Where a way stands on the way to another machine. */
interface Beyond {
  met: readonly string[];
  /** What opens the machine opens its jump hosts too, where nothing else is said. */
  keys: Pick<WrittenWay, "privateKeyPath" | "agent">;
}
const NOTHING: Beyond = { met: [], keys: {} };

/** The way as it will be gone, with everything filled in. Pure. */
export function resolveWay<T extends WrittenWay>(given: T, knowledge: SshKnowledge, beyond = NOTHING): T {
  const settings = knowledge.settings(given.host);
  const host = settings.host ?? given.host;
  const port = given.port ?? settings.port ?? 22;
  const user = given.user ?? settings.user ?? "root";
  const keys = keysOf(given, settings, knowledge) ?? beyond.keys;
  const hostKey =
    given.hostKey ??
    (settings.hostKeyAlias ? knowledge.hostKey(settings.hostKeyAlias, 22) : knowledge.hostKey(host, port));
  const jump = jumpOf(given, settings, beyond);
  return {
    ...given,
    host,
    port,
    user,
    ...keys,
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(jump === undefined ? {} : { jump: resolveWay(jump, knowledge, { met: [...beyond.met, given.host], keys }) }),
  };
}

/** Undefined where nothing at all is said of how to log in. */
function keysOf(
  { privateKeyPath, agent, password }: WrittenWay,
  { identityFiles, known }: SshSettings,
  knowledge: SshKnowledge,
): Beyond["keys"] | undefined {
  if (privateKeyPath !== undefined || agent)
    return { ...(privateKeyPath === undefined ? {} : { privateKeyPath }), ...(agent ? { agent } : {}) };
  const file = identityFiles.find((path) => knowledge.fileExists(path));
  if (file !== undefined) return { privateKeyPath: file };
  if (password !== undefined) return {};
  return known && knowledge.agent ? { agent: true } : undefined;
}

/** A pattern for all hosts means the jump host too: it is not jumped to by itself. */
function jumpOf({ host, jump }: WrittenWay, settings: SshSettings, { met }: Beyond): WrittenWay | undefined {
  if (jump) return jump;
  const found = settings.jump === undefined || settings.jump === "none" ? undefined : parseJump(settings.jump);
  return found && [...met, host].includes(found.host) ? undefined : found;
}

/** What is wrong with a way as it is written. */
export function problemsOfWay(given: WrittenWay, knowledge: SshKnowledge, beyond = NOTHING): WayProblem[] {
  const settings = knowledge.settings(given.host);
  const way = resolveWay(given, knowledge, beyond);
  const jump = jumpOf(given, settings, beyond);
  const { privateKeyPath, agent } = way;
  // A key that is not there is said once, of the machine.
  const keys = {
    ...(privateKeyPath !== undefined && knowledge.fileExists(privateKeyPath) ? { privateKeyPath } : {}),
    ...(agent && knowledge.agent ? { agent } : {}),
  };
  const opens = Object.keys(keys).length > 0 || way.password !== undefined;
  const further = jump && opens ? problemsOfWay(jump, knowledge, { met: [...beyond.met, given.host], keys }) : [];
  const ofJump = further.map((problem) =>
    given.jump ? { ...problem, property: `jump.${problem.property}` } : byConfig(problem, jump),
  );
  return [...ownProblems(given, way, settings, knowledge), ...ofJump];
}

function byConfig({ reason, action }: WayProblem, jump: WrittenWay | undefined): WayProblem {
  return { property: "host", reason: `its ProxyJump ${jump?.host ?? ""} in ~/.ssh/config: ${reason}`, action };
}

function ownProblems(given: WrittenWay, way: WrittenWay, settings: SshSettings, knowledge: SshKnowledge): WayProblem[] {
  const found: WayProblem[] = [];
  if (settings.proxyCommand !== undefined && settings.proxyCommand !== "none" && !way.jump) {
    found.push({
      property: "host",
      reason: `${given.host} has a ProxyCommand in ~/.ssh/config, which is not supported`,
      action: "use ProxyJump there, or jump here",
    });
  }
  // Behind a jump host it is that host which finds the name.
  if (!way.jump && isAlias(given.host) && !settings.known && !knowledge.resolves(given.host)) {
    found.push({
      property: "host",
      reason: `${given.host} is no alias of ~/.ssh/config, and no name that this computer can find`,
      action: "write its address, or add it there",
    });
  }
  if (way.agent && !knowledge.agent)
    found.push({
      property: "agent",
      reason: "no SSH agent runs here: SSH_AUTH_SOCK is not set",
      action: "start one (ssh-agent), and give it the key (ssh-add)",
    });
  if (way.privateKeyPath !== undefined && !knowledge.fileExists(way.privateKeyPath)) {
    found.push({
      property: "privateKeyPath",
      reason: `there is no file ${way.privateKeyPath}`,
      action: "give the path of the private key on this computer",
    });
  }
  if (way.privateKeyPath === undefined && !way.agent && way.password === undefined) {
    found.push({
      property: "privateKeyPath",
      reason: "is missing",
      action: "give the path of a private key, or agent: true, or a password",
    });
  }
  return found;
}

function isAlias(name: string): boolean {
  return isIP(name) === 0 && !name.includes(".") && name !== "localhost";
}

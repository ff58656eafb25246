import { expect } from "vitest";
import {
  ConfigError,
  type ConfigEnvironment,
  type Problem,
  parseConfig,
  renderProblem,
} from "../../../../components/config";

export const environment: ConfigEnvironment = {
  kubernetesVersions: ["1.36.3", "1.36.1", "1.35.2", "1.33.4", "1.32.0"],
  fileExists: (path) => path === "/keys/id",
};

export function collected(raw: unknown): readonly Problem[] {
  try {
    parseConfig(raw, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

export function problems(raw: unknown): string[] {
  return collected(raw).map(renderProblem);
}

/** Expects exactly one problem, at this path, with this text. */
export function refused(raw: unknown, path: string, text: string): void {
  const lines = problems(raw);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(`${path}: `);
  expect(lines[0]).toContain(text);
}

export function host(name: string, address: string, changes: object = {}): object {
  return { name, host: address, privateKeyPath: "/keys/id", role: "worker", ...changes };
}

/** A listed host without a role. */
export function mine(name: string, address: string): object {
  return { name, host: address, privateKeyPath: "/keys/id" };
}

export function ssh(...hosts: object[]): { machines: object } {
  return { machines: { kind: "ssh", ssh: { hosts } } };
}

/** A cluster built by components with these users, valid except for the given properties. */
export function tokens(...users: object[]): object {
  const valid = { token: "0123456789abcdef", user: "jane", uid: "1" };
  return { bootstrap: "components", auth: { staticTokens: users.map((user) => ({ ...valid, ...user })) } };
}

export const cp = host("cp-1", "10.0.0.1", { role: "control-plane" });

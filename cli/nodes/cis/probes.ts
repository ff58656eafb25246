import type { Component } from "../../../provider/kubeadm/manifest-texts";
import type { MachineFacts } from "./facts";

/** What was found on one machine. */
export interface Finding {
  machine: string;
  ok: boolean;
  /** What the machine has: `--profiling=false`. */
  evidence: string;
}

/** Returns what was found for an item; empty if no machine has what it is about. */
export type Probe = (machines: readonly MachineFacts[]) => Finding[];

/** Whether a flag has the right value; undefined if it is not set. */
export type Condition = (value: string | undefined) => boolean;

export const equals =
  (expected: string): Condition =>
  (value) =>
    value === expected;
export const isAbsent: Condition = (value) => value === undefined;
export const isSet: Condition = (value) => value !== undefined && value !== "";
export const includes =
  (...names: string[]): Condition =>
  (value = "") =>
    names.every((name) => value.split(",").includes(name));
export const excludes =
  (...names: string[]): Condition =>
  (value = "") =>
    !names.some((name) => value.split(",").includes(name));

export const isAtLeast =
  (least: number): Condition =>
  (value = "0") =>
    Number(value) >= least;

/** Forward secrecy and authenticated encryption. */
const STRONG = /^TLS_(ECDHE_(RSA|ECDSA)_WITH_)?(AES_\d+_GCM_SHA\d+|CHACHA20_POLY1305_SHA256)$/;

/** Whether all cipher suites of a list that is separated by commas are strong. */
export function hasStrongCiphers(value: string | undefined): boolean {
  return value !== undefined && value.split(",").every((suite) => STRONG.test(suite));
}

/** Checks a flag of a component on every control plane. */
export function flag(component: Component, name: string, condition: Condition): Probe {
  return (machines) =>
    machines
      .filter(({ isControlPlane }) => isControlPlane)
      .map(({ name: machine, flags }) => {
        const value = flags[component]?.[name];
        const ok = flags[component] !== undefined && condition(value);
        return { machine, ok, evidence: value === undefined ? `--${name} is not set` : `--${name}=${shorten(value)}` };
      });
}

/** Checks a field of the kubelet's configuration on every machine. */
export function kubelet(path: string, condition: (value: unknown) => boolean): Probe {
  return (machines) =>
    machines.map(({ name: machine, kubelet: configuration }) => {
      const value = path
        .split(".")
        .reduce<unknown>((part, key) => (part as Record<string, unknown>)?.[key], configuration);
      const ok = Object.keys(configuration).length > 0 && condition(value);
      return { machine, ok, evidence: `${path}: ${value === undefined ? "not set" : shorten(JSON.stringify(value))}` };
    });
}

/** Checks that the files are not more open than the mode, and belong to root. Machines without them are left out. */
export function files(pattern: RegExp, most: string): Probe {
  return (machines) =>
    machines.flatMap(({ name: machine, files: all }) => {
      const matching = all.filter(({ path }) => pattern.test(path));
      if (matching.length === 0) return [];
      const open = matching.filter(({ mode, owner }) => isMoreOpen(mode, most) || owner !== "root:root");
      const evidence = open.map(({ path, mode, owner }) => `${path} is ${mode} ${owner}`).join(", ");
      return [
        { machine, ok: open.length === 0, evidence: evidence || `${matching.length} paths, mode ${most} or less` },
      ];
    });
}

function isMoreOpen(mode: string, most: string): boolean {
  return (parseInt(mode, 8) & ~parseInt(most, 8) & 0o777) !== 0;
}

/** Checks that every API server encrypts Secrets. */
export const encryption: Probe = (machines) =>
  machines
    .filter(({ isControlPlane }) => isControlPlane)
    .map(({ name: machine, flags, encryption: provider }) => {
      const isUsed = flags["kube-apiserver"]?.["encryption-provider-config"] !== undefined;
      const ok = isUsed && provider !== undefined && provider !== "identity";
      return {
        machine,
        ok,
        evidence: isUsed ? `writes with ${provider ?? "an unknown provider"}` : "no configuration",
      };
    });

/** Checks that etcd's CA is not that of the cluster. */
export const ownCertificateAuthority: Probe = (machines) =>
  machines
    .filter(({ isControlPlane }) => isControlPlane)
    .map(({ name: machine, flags }) => {
      const own = flags.etcd?.["trusted-ca-file"];
      const ok = own !== undefined && own !== flags["kube-apiserver"]?.["client-ca-file"];
      return { machine, ok, evidence: `etcd trusts ${own ?? "no CA"}` };
    });

/** Combines probes: all must succeed. */
export function all(...probes: Probe[]): Probe {
  return (machines) => probes.flatMap((probe) => probe(machines));
}

const LONGEST = 60;

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text;
}

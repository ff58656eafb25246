import { beforeEach, describe, expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import {
  TokenExpiredError,
  generateToken,
  revokeToken,
  withJoinToken,
} from "../../../../provider/kube/bootstrap-token";
import { elapse, settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi, httpError } from "../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const signal = new AbortController().signal;
let memory: MemoryApi;
let warnings: string[];

beforeEach(() => {
  memory = new MemoryApi();
  warnings = [];
});

const join = <T>(use: (token: string) => Promise<T>, signed = false) =>
  withJoinToken(memory.api, { node: "worker-1", signal, signed, warn: (text) => warnings.push(text) }, use);
const failure = () => Promise.reject(new StepError({ step: "kubeadm join", cause: "timed out" }));

test("generated tokens have the format of bootstrap tokens and differ", () => {
  const tokens = Array.from({ length: 50 }, generateToken);
  for (const token of tokens) expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
  expect(new Set(tokens).size).toBe(50);
});

describe("a join", () => {
  test("uses a token that lives for 15 minutes and is revoked afterwards", async () => {
    const secret = await settle(
      join(async (token) => memory.secrets.get(`kube-system/bootstrap-token-${token.slice(0, 6)}`)),
    );
    expect(secret?.type).toBe("bootstrap.kubernetes.io/token");
    expect(secret?.stringData).toMatchObject({
      "usage-bootstrap-authentication": "true",
      description: "kubewright: join of worker-1",
    });
    expect(secret?.stringData).not.toHaveProperty("usage-bootstrap-signing");
    const lifetime = Date.parse(secret?.stringData?.expiration ?? "") - Date.now();
    expect(lifetime).toBeGreaterThan(14 * 60_000);
    expect(lifetime).toBeLessThanOrEqual(15 * 60_000);
    expect(memory.secrets.size).toBe(0);
  });

  test("by kubeadm waits until cluster-info is signed with the token", async () => {
    let isJoining = false;
    const running = join(async () => (isJoining = true), true);
    await elapse(2_000);
    expect(isJoining).toBe(false);
    const [key = ""] = memory.secrets.keys();
    const id = key.replace("kube-system/bootstrap-token-", "");
    memory.configMaps.set("kube-public/cluster-info", { data: { [`jws-kubeconfig-${id}`]: "x" } });
    expect(await settle(running)).toBe(true);
  });

  test("fails when nothing signs cluster-info", async () => {
    await expect(settle(join(async () => undefined, true))).rejects.toThrow(/did not sign.*kube-controller-manager/);
  });

  test("that fails with a valid token keeps its error", async () => {
    const error: unknown = await settle(join(failure)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StepError);
    expect(error).not.toBeInstanceOf(TokenExpiredError);
    expect(memory.secrets.size).toBe(0);
  });

  test.each<[string, () => Promise<void>]>([
    ["expired", async () => await elapse(15 * 60_000 + 1)],
    ["was deleted", async () => memory.secrets.clear()],
  ])("that fails after its token %s throws a TokenExpiredError", async (_, end) => {
    const running = join(async () => {
      await end();
      return await failure();
    });
    await expect(settle(running)).rejects.toThrow(TokenExpiredError);
  });

  test("that fails while the API does not answer is not an expired token", async () => {
    const running = join(async () => {
      memory.inject = (call) => (call === "readNamespacedSecret" ? httpError(503, "down") : undefined);
      return await failure();
    });
    await expect(settle(running)).rejects.not.toThrow(TokenExpiredError);
  });

  test("whose token cannot be revoked succeeds with a warning", async () => {
    memory.inject = (call) => (call === "deleteNamespacedSecret" ? httpError(503, "down") : undefined);
    expect(await settle(join(async () => "joined"))).toBe("joined");
    expect(warnings).toEqual(["the join token was not revoked and expires in 15 minutes: down"]);
  });
});

test("revoking a deleted token succeeds", async () => {
  await expect(revokeToken(memory.api, "abcdef.0123456789abcdef")).resolves.toBeUndefined();
});

import type { V1Secret } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { randomBytes } from "node:crypto";
import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import type { Connection } from "../../contracts/connection";
import { ETCD_PKI, PKI } from "../../render/component-paths";
import { type KeySet, storedPrefix } from "../../render/encryption";
import type { KubeApi } from "../kube/api";
import { ignoreNotFound, statusOf } from "../kube/errors";
import { retryRequest } from "../kube/retry";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { ETCDCTL } from "../../render/etcdctl";

const NAMESPACE = "kube-system";
/** Secrets that are written in parallel. */
const PAGE = 50;
const STEP = "encrypting the Secrets";

/**
 * Writes all Secrets again as they are, so that the API servers store them with the newest key.
 * @returns the number of Secrets
 */
export async function rewriteSecrets({ signal, status }: Context, api: KubeApi): Promise<number> {
  let count = 0;
  let next: string | undefined;
  do {
    const { items, metadata } = await retryRequest(api, "listing the Secrets", signal, () =>
      api.core.listSecretForAllNamespaces({ limit: PAGE, ...(next === undefined ? {} : { _continue: next }) }),
    );
    await Promise.all(items.map((secret) => rewrite(api, secret, signal)));
    count += items.length;
    status(`${STEP}: ${count} are done`);
    next = metadata?._continue || undefined;
  } while (next !== undefined);
  return count;
}

/** A Secret that was changed since it was listed is stored with the newest key already, and a deleted one is gone. */
async function rewrite(api: KubeApi, body: V1Secret, signal: AbortSignal): Promise<void> {
  const { name = "", namespace = "" } = body.metadata ?? {};
  await retryRequest(api, `writing the Secret ${namespace}/${name}`, signal, async () => {
    await api.core.replaceNamespacedSecret({ name, namespace, body }).catch((error: unknown) => {
      if (statusOf(error) !== 409 && statusOf(error) !== 404) throw error;
    });
  });
}

export interface EncryptionProof {
  controlPlanes: readonly Connection[];
  set: KeySet;
}

/**
 * Creates a Secret, reads it through each API server, and verifies how etcd stores it. A lost key shows in no health
 * check of an API server.
 * @throws StepError with the machine whose API server cannot read it, or with what etcd stores
 */
export async function proveEncryption(context: Context, { controlPlanes, set }: EncryptionProof): Promise<void> {
  const { kube, signal, connections } = context;
  const name = `kubewright-encryption-${randomBytes(4).toString("hex")}`;
  const value = randomBytes(16).toString("hex");
  const api = await kube.api(controlPlanes, signal);
  const body = { metadata: { name }, stringData: { probe: value } };
  await retryRequest(api, "creating a Secret to prove the encryption", signal, () =>
    api.core.createNamespacedSecret({ namespace: NAMESPACE, body }),
  );
  try {
    for (const connection of controlPlanes) await readThrough(context, connection, { name, value });
    const [first] = controlPlanes;
    if (first) await checkStored(connections.get(first), { name, set }, signal);
  } finally {
    await ignoreNotFound(api.core.deleteNamespacedSecret({ namespace: NAMESPACE, name })).catch(() => undefined);
  }
}

async function readThrough(
  { kube, signal, connections }: Context,
  connection: Connection,
  { name, value }: { name: string; value: string },
): Promise<void> {
  const api = await kube.api([connection], signal);
  const step = `reading a Secret through the API server of ${connections.get(connection).label}`;
  const { data } = await retryRequest(api, step, signal, () =>
    api.core.readNamespacedSecret({ namespace: NAMESPACE, name }),
  );
  if (Buffer.from(data?.probe ?? "", "base64").toString() === value) return;
  const action = "compare the encryption configurations of the control planes, then run `pulumi up` again";
  throw new StepError({ step, cause: "it has another value than the one that was written", action });
}

async function checkStored(
  machine: Remote,
  { name, set }: { name: string; set: KeySet },
  signal: AbortSignal,
): Promise<void> {
  const prefix = storedPrefix(set);
  const expected = prefix ?? "k8s\0";
  const key = `/registry/secrets/${NAMESPACE}/${name}`;
  // Only the beginning of the value, which is not secret.
  const script = `${LOCAL_ETCDCTL}
etcdctl get ${quote(key)} --print-value-only | head -c ${expected.length} | base64 -w0`;
  const { stdout } = await machine.run(script, { step: STEP, signal, timeout: 60 });
  const stored = Buffer.from(stdout.trim(), "base64").toString("latin1");
  if (stored === expected) return;
  throw new StepError({
    step: STEP,
    machine: machine.label,
    cause: `etcd stores a new Secret as ${JSON.stringify(stored)}..., not as ${JSON.stringify(expected)}...`,
    action: "check the flags of kube-apiserver, then run `pulumi up` again",
  });
}

/** Where etcd is a service there is no container, but etcdctl is installed. */
const LOCAL_ETCDCTL = `if systemctl is-active --quiet etcd.service && command -v etcdctl >/dev/null 2>&1; then
  program=$(command -v etcdctl)
  etcdctl() { "$program" "$@" --endpoints=https://127.0.0.1:2379 --cacert=${ETCD_PKI}/ca.crt \\
    --cert=${PKI}/apiserver-etcd-client.crt --key=${PKI}/apiserver-etcd-client.key; }
else
${ETCDCTL}
fi`;

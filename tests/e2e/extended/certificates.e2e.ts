import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../../common/wait";
import { RENEWAL_SERVICE, RENEWAL_TIMER } from "../../../render/renew-certificates";
import { applyManifest, internalAddress, kubectlOf, type Kubectl } from "../../support/cluster-client";
import { readStatus } from "../../support/cluster-status";
import { LoadClient, waitForAnswers } from "../../support/load-client";
import { manifest } from "../../support/manifests";
import { TestStack } from "../../support/test-stack";

const CONTROL_PLANE = "control-plane-1";
const LEAVES = [
  ...["apiserver", "apiserver-etcd-client", "apiserver-kubelet-client", "front-proxy-client"],
  ...["etcd/healthcheck-client", "etcd/peer", "etcd/server"],
  ...["admin.conf", "controller-manager.conf", "scheduler.conf", "super-admin.conf"],
];

const stack = new TestStack("e2e-certificates");
let kubectl: Kubectl;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up("--config", "workers.count=1", "--config", "extras=true");
  expect(code, text).toBe(0);
  kubectl = await kubectlOf(stack);
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

const status = () => readStatus(stack);

/** Lets kubeadm issue leaves that are valid for minutes: all, or one of them. */
async function shortenLeaves(minutes: number, name = "all"): Promise<void> {
  await stack.on(
    CONTROL_PLANE,
    `set -e
sed 's/^kind: ClusterConfiguration$/&\\ncertificateValidityPeriod: ${minutes}m0s/' \\
  /etc/kubernetes/kubewright-cluster.yaml > /tmp/short.yaml
kubeadm certs renew ${name} --config /tmp/short.yaml`,
  );
}

test("status knows every certificate on every machine", async () => {
  const { certificates, healthy } = await status();
  const namesOn = (machine: string, kind: string) =>
    certificates.filter((one) => one.node === machine && one.kind === kind).map(({ name }) => name);
  expect(namesOn(CONTROL_PLANE, "leaf").sort()).toEqual([...LEAVES].sort());
  expect(namesOn(CONTROL_PLANE, "authority").sort()).toEqual(["ca", "etcd/ca", "front-proxy-ca"]);
  const rotated = ["kubelet client", "kubelet serving"];
  for (const node of [CONTROL_PLANE, "worker-1"]) expect(namesOn(node, "rotated").sort()).toEqual(rotated);
  expect(namesOn("worker-1", "authority")).toEqual(["ca"]);
  expect(await stack.on("worker-1", "grep rotateCertificates /var/lib/kubelet/config.yaml")).toContain("true");
  expect(healthy).toBe(true);
  await stack.npmRun("status", "--certificates");
});

async function waitFor(what: string, isDone: () => Promise<boolean>): Promise<void> {
  await until(async () => ((await isDone()) ? true : undefined), {
    signal: new AbortController().signal,
    timeout: 400,
    every: 5_000,
    onTimeout: () => new Error(`still waiting until ${what}`),
  });
}

test("leaves that end soon are drift, and a preview says what their renewal restarts", async () => {
  await shortenLeaves(5);
  await waitFor("certificates end soon", async () =>
    (await status()).certificates.some(({ kind, state }) => kind === "leaf" && state === "soon"),
  );
  // A run that reads the machines records the time of the renewal, as a run does that issues certificates.
  expect((await stack.pulumi("refresh", "--yes")).code).toBe(0);
  const drift = await stack.npmRun("drift");
  expect(drift.code).toBe(2);
  expect(drift.text).toMatch(/certificates .*apiserver.* end, the first in \d minutes?/);
  const preview = await stack.npmRun("preview");
  expect(preview.code).toBe(2);
  expect(preview.text).toMatch(/the API server of control-plane-1 restarts/);
});

test("when they have ended, the status says what to do", async () => {
  await waitFor("certificates have ended", async () => {
    const { code, text } = await stack.npmRunQuietly("status");
    return code === 3 && text.includes("certificate has expired; run `npm start` without --refresh");
  });
});

test("the next run renews them, although the API does not answer, and kubeconfigs follow", async () => {
  const started = Date.now();
  const { code, text } = await stack.up("--yes");
  expect(code, text).toBe(0);
  console.log(`renewed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  const { certificates, healthy, problems } = await status();
  expect(problems).toEqual([]);
  expect(healthy).toBe(true);
  expect(certificates.filter(({ kind, daysLeft }) => kind === "leaf" && daysLeft < 300)).toEqual([]);
  const adminConf = await stack.on(CONTROL_PLANE, "cat /etc/kubernetes/admin.conf");
  const certificateIn = (kubeconfig: string) => /client-certificate-data: (\S+)/.exec(kubeconfig)?.[1];
  expect(certificateIn(readFileSync(await stack.kubeconfig(), "utf8"))).toBe(certificateIn(adminConf));
  await kubectl("create", "deployment", "after", "--image=registry.k8s.io/pause:3.10.1", "--replicas=1");
  await kubectl("wait", "--for=create", "pod", "-l", "app=after", "--timeout=60s");
});

test("nothing is left to do", async () => {
  const preview = await stack.npmRun("preview", "--refresh");
  expect(preview.code, preview.text).toBe(0);
});

/** The serial numbers of the certificates in `/etc/kubernetes/pki`, and hashes of the kubeconfigs, by path. */
async function readLeaves(): Promise<Map<string, string>> {
  const script = `cd /etc/kubernetes
for file in pki/apiserver*.crt pki/front-proxy-client.crt pki/etcd/[hps]*.crt; do
  echo "$file $(openssl x509 -noout -serial -in $file)"
done
for file in admin controller-manager scheduler super-admin; do echo "$file $(md5sum < $file.conf)"; done`;
  const lines = (await stack.on(CONTROL_PLANE, script)).split("\n").filter(Boolean);
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line]));
}

const journal = () => stack.on(CONTROL_PLANE, `journalctl -u ${RENEWAL_SERVICE} --no-pager -n 50`);
const processOf = (component: string) => stack.on(CONTROL_PLANE, `pgrep -x ${component}`);
const leaseHolder = () =>
  kubectl(
    "get",
    "lease",
    "-n",
    "kube-system",
    "kubewright-renew-certificates",
    "-o",
    "jsonpath={.spec.holderIdentity}",
  );

async function untilSoon(): Promise<void> {
  await waitFor("certificates end soon", async () =>
    (await status()).certificates.some(({ kind, state }) => kind === "leaf" && state !== "valid"),
  );
}

/** Lets the timer elapse each minute. */
async function hastenTimer(): Promise<void> {
  const folder = `/run/systemd/system/${RENEWAL_TIMER}.d`;
  await stack.on(
    CONTROL_PLANE,
    `mkdir -p ${folder}
cd ${folder}
printf '[Timer]\\nOnCalendar=\\nOnCalendar=minutely\\nRandomizedDelaySec=0\\nAccuracySec=1s\\n' > minutely.conf
systemctl daemon-reload && systemctl restart ${RENEWAL_TIMER}`,
  );
}

async function restoreTimer(): Promise<void> {
  await stack.on(
    CONTROL_PLANE,
    `rm -rf /run/systemd/system/${RENEWAL_TIMER}.d; systemctl daemon-reload && systemctl restart ${RENEWAL_TIMER}`,
  );
}

async function startLoad(): Promise<LoadClient> {
  await applyManifest(stack, manifest("web.yaml"));
  await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
  const url = `http://${await internalAddress(kubectl, "worker-1")}:30080/hostname`;
  const [container = ""] = await stack.containers(CONTROL_PLANE);
  const spec = { container, url, perSecond: 50, seconds: 1_800 };
  await waitForAnswers({ ...spec, most: 20 });
  return new LoadClient({ ...spec, most: 90_000 });
}

test("leaves that end in minutes are renewed by the timer without a person", async () => {
  kubectl = await kubectlOf(stack);
  const client = await startLoad();
  try {
    await shortenLeaves(9);
    const before = await readLeaves();
    await untilSoon();
    await hastenTimer();
    const isRenewed = async () => {
      const leaves = await readLeaves();
      const result = await stack.on(CONTROL_PLANE, "cat /var/lib/kubewright/kubeadm/renewal || true");
      return result.startsWith("ok ") && [...leaves].every(([path, line]) => line !== before.get(path));
    };
    await waitFor("the timer has renewed all leaves", isRenewed).finally(async () => console.log(await journal()));
    await restoreTimer();
    const { certificates, problems } = await status();
    expect(problems).toEqual([]);
    expect(certificates.filter(({ kind, daysLeft }) => kind === "leaf" && daysLeft < 300)).toEqual([]);
    await waitFor("the Lease is free", async () => (await leaseHolder()) === "");
  } finally {
    const { total, failed, failures } = await client.stop();
    console.log(`${total} requests, ${failed} failed`);
    expect(failures).toEqual([]);
  }
});

test("after that a run restarts nothing, and the kubeconfig follows", async () => {
  const components = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
  // The kernel keeps 15 characters of a program's name.
  const processes = () => Promise.all(components.map((name) => processOf(name.slice(0, 15))));
  const [before, leaves] = [await processes(), await readLeaves()];
  const { code, text } = await stack.up("--refresh", "--yes");
  expect(code, text).toBe(0);
  expect(await processes()).toEqual(before);
  expect(await readLeaves()).toEqual(leaves);
  const adminConf = await stack.on(CONTROL_PLANE, "cat /etc/kubernetes/admin.conf");
  const certificateIn = (kubeconfig: string) => /client-certificate-data: (\S+)/.exec(kubeconfig)?.[1];
  expect(certificateIn(readFileSync(await stack.kubeconfig(), "utf8"))).toBe(certificateIn(adminConf));
  const preview = await stack.npmRun("preview", "--refresh");
  expect(preview.code, preview.text).toBe(0);
});

test("a certificate with which the API server does not start is put back, and the status reports it", async () => {
  // Found before the real one. The API server reads this key when it starts, and does not need it to be ready.
  const wrapper = `#!/bin/sh
/usr/local/bin/kubeadm "$@" || exit
[ "$3" != front-proxy-client ] || echo broken > /etc/kubernetes/pki/front-proxy-client.key`;
  await shortenLeaves(5, "front-proxy-client");
  const before = await readLeaves();
  await untilSoon();
  const place = `cat > /usr/local/sbin/kubeadm <<'EOF'\n${wrapper}\nEOF\nchmod 755 /usr/local/sbin/kubeadm`;
  await stack.on(CONTROL_PLANE, place);
  const start = `systemctl start ${RENEWAL_SERVICE}`;
  await expect(stack.on(CONTROL_PLANE, start)).rejects.toThrow();
  console.log(await journal());
  await stack.on(CONTROL_PLANE, "rm /usr/local/sbin/kubeadm");
  expect(await readLeaves()).toEqual(before);
  const { healthy, problems } = await status();
  expect(healthy).toBe(false);
  expect(problems.join()).toMatch(new RegExp(`${RENEWAL_SERVICE} failed .*kube-apiserver is healthy again`));
  await waitFor("the Lease is free", async () => (await leaseHolder()) === "");
  await stack.on(CONTROL_PLANE, start);
  // The kubelet reports again once the API server has restarted.
  await waitFor("the cluster is healthy", async () => (await status()).healthy);
  expect((await readLeaves()).get("pki/front-proxy-client.crt")).not.toBe(before.get("pki/front-proxy-client.crt"));
});

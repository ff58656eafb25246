import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createAuthority, createCertificate } from "../../../provider/pki/x509";
import { markRenewal, withoutRenewalMark } from "../../../provider/kubeadm/renewal-mark";
import { RENEWAL_FOLDER, RENEWAL_SERVICE, RENEWAL_TIMER, renewalFiles } from "../../../render/renew-certificates";
import { KUBERNETES, manifestOf, NODE, PREVIOUS, RenewalMachine } from "../../support/renewal-machine";

/** The scripts start many small programs, which takes long on a busy computer. */
vi.setConfig({ testTimeout: 60_000 });

const MANIFEST = `${KUBERNETES}/manifests/kube-apiserver.yaml`;
const API_SERVER = ["apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client"];
const ETCD = ["etcd-server", "etcd-peer", "etcd-healthcheck-client"];
const KUBECONFIGS = ["controller-manager.conf", "scheduler.conf", "admin.conf", "super-admin.conf"];
const crt = (name: string) => `${KUBERNETES}/pki/${name}.crt`;
const renewals = (names: readonly string[]) => names.map((name) => `renew ${name}`);

test("the timer starts daily, at another time on each control plane, and after a missed run", () => {
  const files = renewalFiles({ node: "it's", healthySeconds: 120 });
  const timer = files[`/etc/systemd/system/${RENEWAL_TIMER}`]?.content;
  for (const line of ["OnCalendar=daily", "Persistent=true", "WantedBy=timers.target"])
    expect(timer).toMatch(new RegExp(`^${line}$`, "m"));
  expect(timer).toMatch(/^RandomizedDelaySec=\d+h$/m);
  expect(files[`${RENEWAL_FOLDER}/settings`]?.content).toContain("node='it'\\''s'\ndays=30\nseconds=120\n");
});

test("a Lease is free once the service of the control plane that had it must have ended", () => {
  const files = renewalFiles({ node: NODE, healthySeconds: 120 });
  const limit = /^TimeoutStartSec=(\d+)$/m.exec(files[`/etc/systemd/system/${RENEWAL_SERVICE}`]?.content ?? "")?.[1];
  const duration = /^duration=(\d+)$/m.exec(files[`${RENEWAL_FOLDER}/lease.sh`]?.content ?? "")?.[1];
  expect(Number(duration)).toBeGreaterThanOrEqual(Number(limit));
});

describe.skipIf(process.platform !== "linux")("the timer's scripts", () => {
  let machine: RenewalMachine;
  beforeEach(async () => {
    machine = await RenewalMachine.create();
  });
  afterEach(() => machine.remove());

  test("renew all leaves that end within 30 days, component by component, with the Lease", () => {
    const { code, output, events, result } = machine.run();
    expect(code, output).toBe(0);
    expect(events).toEqual([`lease ${NODE}`, ...renewals([...ETCD, ...API_SERVER, ...KUBECONFIGS]), "lease free"]);
    expect(result).toMatch(/^ok \S+Z\nrenewed: etcd-server .*super-admin.conf\n$/);
    for (const path of [crt("apiserver"), crt("etcd/peer"), `${KUBERNETES}/admin.conf`])
      expect(machine.isRenewed(path), path).toBe(true);
    expect(machine.exists(PREVIOUS)).toBe(false);
  });

  test("restart the API server by a mark that `up` ignores, and not etcd", () => {
    machine.renewAll("apiserver", "etcd/peer");
    expect(machine.run().events).toEqual([`lease ${NODE}`, "renew etcd-peer", "renew apiserver", "lease free"]);
    expect(machine.read(MANIFEST)).not.toBe(manifestOf("kube-apiserver"));
    expect(withoutRenewalMark(machine.read(MANIFEST))).toBe(manifestOf("kube-apiserver"));
    expect(machine.read(`${KUBERNETES}/manifests/etcd.yaml`)).toBe(manifestOf("etcd"));
  });

  test.each([
    ["a manifest without annotations", manifestOf("kube-scheduler")],
    ["one with other annotations", manifestOf("etcd").replace("  labels:", "  annotations:\n    a: b\n  labels:")],
    ["one that was marked before", markRenewal(manifestOf("etcd"), "2020-01-01T00:00:00.000Z")],
  ])("mark %s as `up` does", (_, manifest) => {
    machine.write("/source.yaml", manifest);
    machine.evaluate("pods.sh", `place_manifest etcd ${machine.root}/source.yaml`);
    const marked = machine.read(`${KUBERNETES}/manifests/etcd.yaml`);
    const [, time = ""] = /certificates-renewed: "(.*)"/.exec(marked) ?? [];
    expect(marked).toBe(markRenewal(manifest, time));
  });

  test("do nothing while no leaf ends soon", () => {
    machine.renewAll();
    const { code, events, result } = machine.run();
    expect([code, events]).toEqual([0, []]);
    expect(result).toMatch(/^ok /);
  });

  test("report a certificate that cannot be read", () => {
    machine.write(crt("apiserver"), "");
    const { code, result, events } = machine.run();
    expect([code, events]).toEqual([1, []]);
    expect(result).toMatch(/^failed \S+\n.*apiserver.crt has no certificate that can be read\n$/);
  });

  test("renew only the leaves that end soon, and restart only their component", () => {
    machine.renewAll("scheduler.conf");
    expect(machine.run().events).toEqual([`lease ${NODE}`, "renew scheduler.conf", "lease free"]);
    expect(machine.read(MANIFEST)).toBe(manifestOf("kube-apiserver"));
  });

  test("restore the previous files of a component that is not healthy with new ones, and stop there", () => {
    machine.write("/breaks", "front-proxy-client\n");
    const { code, events, result } = machine.run();
    expect(code).toBe(1);
    expect(events.slice(-2)).toEqual(["renew front-proxy-client", "lease free"]);
    expect(result).toMatch(/^failed \S+\nkube-apiserver is not healthy: .*kube-apiserver is healthy again\n$/);
    for (const name of API_SERVER) expect(machine.isOld(crt(name)), name).toBe(true);
    expect(machine.isRenewed(crt("etcd/server"))).toBe(true);
    expect(withoutRenewalMark(machine.read(MANIFEST))).toBe(manifestOf("kube-apiserver"));
    expect(machine.exists(PREVIOUS)).toBe(false);
  });

  test("restore etcd's files when it does not answer with new ones", () => {
    machine.renewAll("etcd/peer", "etcd/server");
    machine.write("/breaks", "etcd-peer\n");
    const { code, result } = machine.run();
    expect(code).toBe(1);
    expect(result).toContain("the previous files were restored, and etcd is healthy again");
    expect(machine.isOld(crt("etcd/server"))).toBe(true);
  });

  test("report kubeadm's last words", () => {
    machine.write("/kubeadm-fails", "");
    expect(machine.run().result).toMatch(
      /^failed \S+\nkubeadm certs renew etcd-server failed: the CA's key is missing;/,
    );
  });

  test("change nothing where etcd would lose its quorum", () => {
    const member = (id: number) => `${id}, started, cp-${id}, https://${id}:2380, https://${id}:2379, false\n`;
    machine.write("/members", member(1) + member(2) + member(3));
    machine.write("/health", "https://1:2379 is healthy: x\nhttps://2:2379 is healthy: x\n");
    machine.renewAll("etcd/server");
    const { events, result } = machine.run();
    expect(events).toEqual([`lease ${NODE}`, "lease free"]);
    expect(result).toContain("etcd would have no quorum");
    machine.write("/health", "https://3:2379 is healthy: x\nhttps://2:2379 is healthy: x\n");
    expect(machine.run().code).toBe(0);
  });

  describe("with the Lease", () => {
    const time = (seconds: number) => new Date(Date.now() + 340 * 86_400_000 + seconds * 1_000).toISOString();

    test("of another control plane wait, and leave the work to the next day", () => {
      machine.write("/lease", `7 ${time(0)} cp-2\n`);
      const { code, events, result } = machine.run();
      expect([code, events]).toEqual([0, []]);
      expect(result).toMatch(/^postponed \S+\ncp-2 renews its certificates\n$/);
    });

    test.each([
      ["that is free", "7 - "],
      ["of a control plane that did not release it", `7 ${time(-3_700)} cp-2`],
      ["of an interrupted run of this control plane", `7 ${time(-10)} ${NODE}`],
    ])("%s renew", (_, lease) => {
      machine.renewAll("scheduler.conf");
      machine.write("/lease", `${lease}\n`);
      expect(machine.run().code).toBe(0);
      expect(machine.read("/lease")).toBe("9 - \n");
    });

    test("that cannot be read change nothing", () => {
      machine.write("/api-down", "");
      const { code, result } = machine.run();
      expect(code).toBe(1);
      expect(result).toContain("could not be read: connection refused");
      expect(machine.isOld(crt("apiserver"))).toBe(true);
    });
  });

  describe("after an interruption", () => {
    const interrupted = (names: readonly string[]) => {
      machine.write(`${PREVIOUS}${MANIFEST}`, manifestOf("kube-apiserver"));
      const files = names.flatMap((name) => [crt(name), crt(name).replace(/crt$/, "key")]);
      for (const path of files) machine.write(PREVIOUS + path, machine.read(path));
      machine.write(`${PREVIOUS}/complete`, [MANIFEST, ...files].map((path) => `${machine.root}${path}\n`).join(""));
      machine.write(`${PREVIOUS}/renewal`, "kube-apiserver\n");
      // The copies are below the whole path of the test's folder.
      for (const path of [MANIFEST, ...files])
        machine.write(`${PREVIOUS}${machine.root}${path}`, machine.read(PREVIOUS + path));
    };

    test("complete what was begun", () => {
      interrupted(API_SERVER);
      machine.renewAll();
      const { code, output, events } = machine.run();
      expect(code, output).toBe(0);
      expect(events).toEqual([`lease ${NODE}`, "lease free"]);
      expect(machine.read(MANIFEST)).toContain("certificates-renewed");
      expect(machine.exists(PREVIOUS)).toBe(false);
    });

    test("put back what does not work", () => {
      interrupted(API_SERVER);
      machine.renewAll();
      machine.write(crt("apiserver").replace(/crt$/, "key"), "BROKEN\n");
      expect(machine.run().code).toBe(1);
      expect(machine.isOld(crt("apiserver"))).toBe(true);
      expect(machine.exists(PREVIOUS)).toBe(false);
    });

    test("of `up`, wait for it and then report it", () => {
      machine.write(`${PREVIOUS}/complete`, "");
      const { code, result, events } = machine.run();
      expect([code, events]).toEqual([1, [`lease ${NODE}`, "lease free"]]);
      expect(result).toContain("was interrupted on this machine");
    });

    test("of `up` that ends in time, renew", () => {
      machine.renewAll("scheduler.conf");
      machine.write(`${PREVIOUS}/complete`, "");
      machine.write("/on-sleep", `rm -rf ${machine.root}${PREVIOUS}`);
      expect(machine.run().code).toBe(0);
    });
  });

  test("read when a leaf begins and ends", () => {
    const { validFrom, validTo } = new X509Certificate(machine.read(crt("apiserver")));
    const seconds = [validFrom, validTo].map((time) => Date.parse(time) / 1_000);
    expect(machine.evaluate("kept.sh", "print_validity apiserver").trim()).toBe(seconds.join(" "));
  });

  test.each([
    ["u491231235959", "2049-12-31T23:59:59Z"],
    ["u500101000000", "1950-01-01T00:00:00Z"],
    ["g20500131120000", "2050-01-31T12:00:00Z"],
  ])("read the time %s", (encoded, time) => {
    expect(Number(machine.evaluate("kept.sh", `to_seconds ${encoded}`))).toBe(Date.parse(time) / 1_000);
  });

  test("renew a leaf with a short lifetime in its last third", async () => {
    const authority = await createAuthority("kubernetes", 3650);
    const leaf = await createCertificate(authority, { commonName: "a", usages: ["client"], days: 9 });
    machine.renewAll();
    machine.write(crt("apiserver"), leaf.certificate);
    const dueAfter = (days: number) => {
      machine.write("/ahead", String(days * 86_400));
      return machine.evaluate("kept.sh", "due_of kube-apiserver").trim();
    };
    expect([dueAfter(5), dueAfter(7)]).toEqual(["", "apiserver"]);
  });

  test("check that their programs are there", () => {
    expect(machine.run("check").code).toBe(0);
  });
});

import { describe, expect, test } from "vitest";
import { rotationPlanText, rotationSteps, type RotationPlan } from "../../../../cli/rotation/rotation-plan";
import { AUTHORITIES } from "../../../../provider/rotation/phases";

const plan = (changes: Partial<RotationPlan> = {}): RotationPlan => ({
  ...{ phase: "trust", authorities: AUTHORITIES, isResumed: false },
  ...{ controlPlanes: ["cp-1"], nodes: ["cp-1", "w-1"], workloads: [], caBundles: [], tokens: [] },
  ...changes,
});

test("the plan names the phase, the authorities, and the restarts of each control plane", () => {
  const text = rotationPlanText(plan());
  expect(text).toContain("Begin phase 1 of 3, trust: the cluster's CA, etcd's CA, the front proxy's CA, the key of");
  expect(text).toContain("cp-1: etcd, kube-apiserver, kube-controller-manager, kube-scheduler restart");
  expect(text).toContain("the API is unavailable for some seconds");
  expect(rotationPlanText(plan({ isResumed: true }))).toContain("Continue phase 1 of 3");
});

test("the algorithm of new keys is printed before they are created", () => {
  expect(rotationPlanText(plan())).toContain("The new keys have the algorithm of those that they replace");
  expect(rotationPlanText(plan({ keys: "RSA-4096" }))).toContain("The new keys have RSA-4096");
  for (const changes of [{ isResumed: true }, { phase: "reissue" as const }])
    expect(rotationPlanText(plan({ keys: "RSA-4096", ...changes }))).not.toContain("RSA-4096");
});

test("with several control planes, each is out of the balancers while it restarts", () => {
  const text = rotationPlanText(plan({ controlPlanes: ["cp-1", "cp-2"] }));
  expect(text).toMatch(/cp-1: .*out of the API balancers[^]*cp-2: .*out of the API balancers/);
  expect(text).not.toContain("unavailable");
});

test("only the phase reissue issues certificates, those of kubelets too", () => {
  for (const phase of ["trust", "drop"] as const)
    expect(rotationPlanText(plan({ phase }))).not.toMatch(/reissues|new client certificate, and/);
  const steps = rotationSteps(plan({ phase: "reissue" })).join("\n");
  expect(steps).toContain("reissues etcd-server, etcd-peer");
  expect(steps).toContain("the kubelets of cp-1, w-1: a new client certificate, and a restart");
});

test("etcd's CA concerns neither kubelets nor pods", () => {
  expect(rotationSteps(plan({ authorities: ["etcd"] }))).toEqual([
    expect.stringMatching(/^cp-1: etcd, kube-apiserver restart/),
  ]);
});

describe("what the command cannot do", () => {
  test("workloads that started before the CA was published are named before certificates change", () => {
    const workloads = ["shop/Deployment/web"];
    expect(rotationPlanText(plan({ phase: "reissue", workloads }))).toContain("kubectl rollout restart");
    expect(rotationPlanText(plan({ phase: "trust", workloads }))).not.toContain("shop/Deployment/web");
  });

  test("webhooks that trust the present CA are named while there is time", () => {
    const caBundles = ["ValidatingWebhookConfiguration/policy"];
    expect(rotationPlanText(plan({ caBundles }))).toContain(
      "only you can change: ValidatingWebhookConfiguration/policy",
    );
    expect(rotationPlanText(plan({ caBundles, authorities: ["etcd"] }))).not.toContain("policy");
  });

  test("tokens that do not expire end with the previous key", () => {
    const text = rotationPlanText(plan({ phase: "drop", tokens: ["ci/robot"] }));
    expect(text).toContain("create their Secrets again: ci/robot");
    expect(rotationPlanText(plan({ phase: "drop", tokens: ["ci/robot"], authorities: ["cluster"] }))).not.toContain(
      "ci/robot",
    );
  });

  test("backups from before cannot be restored afterwards", () => {
    expect(rotationPlanText(plan({ phase: "drop" }))).toContain("restore` refuses them");
    expect(rotationPlanText(plan({ phase: "reissue" }))).not.toContain("refuses them");
  });
});

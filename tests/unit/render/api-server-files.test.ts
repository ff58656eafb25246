import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { API_SERVER_FOLDER, apiServerFiles } from "../../../render/api-server-files";
import { apiServerFiles as ladderFiles } from "../../../render/components/api-server-files";
import type { Audit } from "../../../render/audit";
import type { PodSecurity } from "../../../render/pod-security";

const audit: Audit = { maxAgeDays: 30, maxFiles: 10, maxMegabytes: 100 };
const podSecurity: PodSecurity = {
  enforce: "baseline",
  warn: "restricted",
  audit: "restricted",
  exemptNamespaces: ["storage", "kube-system"],
};

/** The only file, with its path. */
function onlyFile(files: Record<string, string>): [string, unknown] {
  const [[path, text] = ["", ""], ...others] = Object.entries(files);
  expect(others).toEqual([]);
  return [path, parse(text)];
}

test("without settings there are no files, flags and folders", () => {
  expect(apiServerFiles({})).toEqual({ files: {}, flags: {}, volumes: [] });
});

describe("the audit log", () => {
  test("has a policy, a folder that can be written, and the limits of the CIS Benchmark", () => {
    const { files, flags, volumes } = apiServerFiles({ audit });
    const [path] = onlyFile(files);
    expect(flags).toMatchObject({
      "audit-policy-file": path,
      "audit-log-path": "/var/log/kubernetes/audit/audit.log",
      "audit-log-maxage": "30",
      "audit-log-maxbackup": "10",
      "audit-log-maxsize": "100",
    });
    expect(volumes.map(({ hostPath, readOnly }) => [hostPath, readOnly])).toEqual([
      [API_SERVER_FOLDER, true],
      ["/var/log/kubernetes/audit", false],
    ]);
  });

  test("never has the content of Secrets", () => {
    const [, policy] = onlyFile(apiServerFiles({ audit }).files);
    const { rules } = policy as { rules: { level: string; resources?: { resources?: string[] }[] }[] };
    const index = rules.findIndex(({ resources = [] }) => resources.some((one) => one.resources?.includes("secrets")));
    expect(rules[index]?.level).toBe("Metadata");
    const earlier = rules.slice(0, index).map(({ level }) => level);
    expect(earlier.filter((level) => level !== "None")).toEqual([]);
    expect(rules.at(-1)).toEqual({ level: "Metadata" });
  });

  test("has rules of the user instead", () => {
    const [, policy] = onlyFile(apiServerFiles({ audit: { ...audit, rules: [{ level: "Request" }] } }).files);
    expect(policy).toMatchObject({ kind: "Policy", rules: [{ level: "Request" }] });
  });
});

test("the Pod Security Standard never concerns the cluster's own components", () => {
  const { files, flags, volumes } = apiServerFiles({ podSecurity });
  const [path, configuration] = onlyFile(files);
  expect(flags).toEqual({ "admission-control-config-file": path });
  expect(volumes).toHaveLength(1);
  const { plugins } = configuration as { plugins: { configuration: object }[] };
  expect(plugins[0]?.configuration).toMatchObject({
    defaults: { enforce: "baseline", "enforce-version": "latest", warn: "restricted", audit: "restricted" },
    exemptions: { namespaces: ["kube-system", "storage"] },
  });
});

describe("issuers of ID tokens", () => {
  const issuer = {
    ...{ issuer: "https://login.example.com", audiences: ["kubernetes"], ca: undefined },
    ...{ usernameClaim: "sub", usernamePrefix: "oidc:", groupsClaim: "groups", groupsPrefix: "oidc:" },
    requiredClaims: {},
  };

  test("are in a file of their own, and requests without credentials stay as kubeadm has them", () => {
    const { files, flags, volumes } = apiServerFiles({ oidc: [issuer] });
    const [path, configuration] = onlyFile(files);
    expect(flags).toEqual({ "authentication-config": path });
    expect(volumes).toHaveLength(1);
    expect(configuration).toEqual({
      apiVersion: "apiserver.config.k8s.io/v1",
      kind: "AuthenticationConfiguration",
      jwt: [
        {
          issuer: { url: "https://login.example.com", audiences: ["kubernetes"] },
          claimMappings: { username: { claim: "sub", prefix: "oidc:" }, groups: { claim: "groups", prefix: "oidc:" } },
        },
      ],
    });
  });

  test("have a policy for several audiences, a CA, and rules for claims", () => {
    const more = { audiences: ["a", "b"], ca: "PEM", requiredClaims: { hd: "example.com" } };
    const [, configuration] = onlyFile(apiServerFiles({ oidc: [{ ...issuer, ...more }] }).files);
    expect(configuration).toMatchObject({
      jwt: [
        {
          issuer: { audiences: ["a", "b"], audienceMatchPolicy: "MatchAny", certificateAuthority: "PEM" },
          claimValidationRules: [{ claim: "hd", requiredValue: "example.com" }],
        },
      ],
    });
  });

  test("without issuers there is no file", () => {
    expect(apiServerFiles({ oidc: [] })).toEqual({ files: {}, flags: {}, volumes: [] });
  });

  test("are on the ladder beside anonymous requests for health checks", () => {
    const [text = ""] = Object.values(ladderFiles([], [issuer]));
    expect(parse(text)).toMatchObject({
      jwt: [{ issuer: { url: "https://login.example.com" } }],
      anonymous: { enabled: true, conditions: [{ path: "/livez" }, { path: "/readyz" }, { path: "/healthz" }] },
    });
  });
});

test("another content has another path, so that the API server restarts with it", () => {
  const paths = [podSecurity, { ...podSecurity, enforce: "restricted" as const }].map(
    (one) => apiServerFiles({ podSecurity: one }).flags["admission-control-config-file"],
  );
  expect(new Set(paths).size).toBe(2);
  expect(apiServerFiles({ podSecurity }).flags["admission-control-config-file"]).toBe(paths[0]);
});

import { expect, test } from "vitest";
import { hasSigningFile, keepSigningFile, withSigningFile } from "../../../../provider/kubeadm/signing-file";

const MANIFEST = `spec:
  containers:
  - command:
    - kube-controller-manager
    - --cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt
    - --cluster-signing-key-file=/etc/kubernetes/pki/ca.key
    - --root-ca-file=/etc/kubernetes/pki/ca.crt
`;

test("the controller manager signs with a file of its own, and trusts the bundle", () => {
  const separate = withSigningFile(MANIFEST, true);
  expect(separate).toContain("--cluster-signing-cert-file=/etc/kubernetes/pki/ca-signing.crt\n");
  expect(separate).toContain("--root-ca-file=/etc/kubernetes/pki/ca.crt\n");
  expect([hasSigningFile(MANIFEST), hasSigningFile(separate), hasSigningFile()]).toEqual([false, true, false]);
  expect(withSigningFile(separate, false)).toBe(MANIFEST);
});

test("rendering in the middle of a rotation keeps it, and a user's own file otherwise", () => {
  expect(hasSigningFile(keepSigningFile(MANIFEST, true))).toBe(true);
  const own = MANIFEST.replace("cert-file=/etc/kubernetes/pki/ca.crt", "cert-file=/etc/own.crt");
  expect(keepSigningFile(own, false)).toBe(own);
});

import ipaddr from "ipaddr.js";
import type { NodeFiles } from "./node-files";
import { template } from "./template";

/**
 * How kubelets get the certificates that they serve: `cluster` are signed by the cluster's CA, and the API servers
 * verify them; `unverified` are signed by it too, but the API servers do not verify them; `self-signed` are issued by
 * the kubelets themselves.
 */
export const KUBELET_SERVING = ["cluster", "unverified", "self-signed"] as const;
export type KubeletServing = (typeof KUBELET_SERVING)[number];

/** Flag with which an API server verifies kubelets, and the CA. */
export const KUBELET_CA_FLAG = "kubelet-certificate-authority";
export const KUBELET_CA_FILE = "/etc/kubernetes/pki/ca.crt";

/** Timer on each control plane that approves the requests of kubelets which renew their certificates. */
export const APPROVER_TIMER = "kubewright-kubelet-serving.timer";
const APPROVER_SERVICE = "kubewright-kubelet-serving.service";
const FOLDER = "/etc/kubewright/kubelet-serving";
export const APPROVER_SCRIPT = `${FOLDER}/approve.sh`;
export const ROSTER = `${FOLDER}/roster`;

/** A node as its kubelet may present itself. */
export interface ServingNode {
  name: string;
  /** Its addresses; the kubelet asks for all of them. */
  addresses: readonly string[];
}

/** Renders the timer that approves requests, with the nodes that it knows. */
export function approverFiles(nodes: readonly ServingNode[]): NodeFiles {
  const file = (content: string, mode: number) => ({ content, mode });
  return {
    [APPROVER_SCRIPT]: file(template("kubelet-serving/approve.sh", { ROSTER, KEY_HEADER, SIGNED }), 0o644),
    [ROSTER]: file(roster(nodes), 0o600),
    [`/etc/systemd/system/${APPROVER_SERVICE}`]: file(
      template(`kubelet-serving/${APPROVER_SERVICE}`, { SCRIPT: APPROVER_SCRIPT }),
      0o644,
    ),
    [`/etc/systemd/system/${APPROVER_TIMER}`]: file(template(`kubelet-serving/${APPROVER_TIMER}`), 0o644),
  };
}

/** Renders one line for each node: its name, and what its request has before and after the public key. */
function roster(nodes: readonly ServingNode[]): string {
  const lines = nodes.map((node) => {
    const { before, after } = requestParts(node);
    return `# ${node.name}: ${node.addresses.join(" ")}\n${node.name} ${before} ${after}\n`;
  });
  return `# Nodes whose kubelets get serving certificates. Written by Kubewright.\n${lines.join("")}`;
}

/** Key of the curve P-256 (RFC 5480) up to its 64 bytes, hex. The kubelet creates no other keys. */
const KEY_HEADER = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
const KEY_BYTES = 91;
/** ecdsa-with-SHA256 and the beginning of the signature, hex. */
const SIGNED = "300a06082a8648ce3d04030203";
const PRINTABLE = 0x13;
const OID = { organization: "060355040a", commonName: "0603550403", extensions: "06092a864886f70d01090e" };
const SUBJECT_ALTERNATIVE_NAME = "0603551d11";

/**
 * Returns the request that the kubelet of a node sends (RFC 2986), hex: everything that is signed, without the public
 * key. The subject and the names are all that it has, so that another request differs in at least one byte.
 */
export function requestParts({ name, addresses }: ServingNode): { before: string; after: string } {
  const attribute = (oid: string, text: string) => der(0x31, der(0x30, oid + der(PRINTABLE, hexOf(text))));
  const subject = attribute(OID.organization, "system:nodes") + attribute(OID.commonName, `system:node:${name}`);
  const before = `020100${der(0x30, subject)}`;
  const names =
    der(0x82, hexOf(name)) +
    [...addresses]
      .sort()
      .map((one) => der(0x87, bytesOf(one)))
      .join("");
  const extension = der(0x30, SUBJECT_ALTERNATIVE_NAME + der(0x04, der(0x30, names)));
  const after = der(0xa0, der(0x30, OID.extensions + der(0x31, der(0x30, extension))));
  const length = before.length / 2 + KEY_BYTES + after.length / 2;
  return { before: `30${lengthOf(length)}${before}`, after };
}

const ARMOR = /^-----BEGIN CERTIFICATE REQUEST-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE REQUEST-----\n?$/;

/**
 * Returns whether a request (PEM) is the one that the kubelet of a node sends. Text around it is refused: another
 * reader might take something else for the request.
 */
export function isRequestOf(node: ServingNode, pem: string): boolean {
  const [, body = ""] = ARMOR.exec(pem) ?? [];
  const { before, after } = requestParts(node);
  const hex = Buffer.from(body, "base64").toString("hex");
  return new RegExp(`^30(81..|82....)${before}${KEY_HEADER}.{128}${after}${SIGNED}`).test(hex);
}

/** Encodes a value of ASN.1's DER, hex. */
function der(tag: number, content: string): string {
  return byte(tag) + lengthOf(content.length / 2) + content;
}

function lengthOf(bytes: number): string {
  if (bytes < 0x80) return byte(bytes);
  return bytes < 0x100 ? `81${byte(bytes)}` : `82${byte(bytes >> 8)}${byte(bytes & 0xff)}`;
}

const byte = (value: number) => value.toString(16).padStart(2, "0");
const hexOf = (text: string) => Buffer.from(text).toString("hex");
const bytesOf = (address: string) => Buffer.from(ipaddr.parse(address).toByteArray()).toString("hex");

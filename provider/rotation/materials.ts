import { StepError } from "../../common/errors";
import { settleAll } from "../../common/settle-all";
import { FORMER_AUTHORITIES } from "../../render/component-paths";
import type { CertificateKeys } from "../../render/kubeadm-types";
import { readContents, textFile, writeFiles } from "../host/files";
import { createAuthority, createKeyPair, keysOf } from "../pki/x509";
import type { Remote } from "../ssh/remote";
import { formerText } from "../pki/former-authorities";
import { pemBlocks } from "../pki/pem";
import { AUTHORITY, type AuthorityName, type Succession } from "./phases";
import { ROTATION_FOLDER } from "./rotation-record";

const STEP = "creating the new CAs";
/** As kubeadm does. */
const DAYS = 3_650;

/** Authorities by name, with what they were and what they become. The new keys stay on the control planes. */
export type Successions = ReadonlyMap<AuthorityName, Succession>;

const PARTS = ["previous.crt", "next.crt", "next.key"] as const;
type Material = Record<(typeof PARTS)[number], string>;

/** Path of a new key on the control planes. */
export function nextKeyPath(name: AuthorityName): string {
  return pathOf(name, "next.key");
}

function pathOf(name: AuthorityName, part: (typeof PARTS)[number]): string {
  return `${ROTATION_FOLDER}/${name}/${part}`;
}

/**
 * Creates the new CAs and keys, and copies them to all control planes. Those that an interrupted run has created are
 * used again, and a control plane that has joined since gets them. Keys pass through memory only.
 * @param keys algorithm of the new keys, by default that of each key that is replaced
 */
export async function prepareMaterials(
  machines: readonly Remote[],
  names: readonly AuthorityName[],
  signal: AbortSignal,
  keys?: CertificateKeys,
): Promise<Successions> {
  const successions = new Map<AuthorityName, Succession>();
  for (const name of names) {
    const existing = await findMaterial(machines, name, signal);
    const material = existing ?? (await createMaterial(machines, name, signal, keys));
    const files = PARTS.map((part) => textFile(pathOf(name, part), material[part], "0600"));
    await settleAll(machines.map((machine) => writeFiles(machine, files, STEP, signal)));
    successions.set(name, { previous: material["previous.crt"], next: material["next.crt"] });
  }
  return successions;
}

async function findMaterial(
  machines: readonly Remote[],
  name: AuthorityName,
  signal: AbortSignal,
): Promise<Material | undefined> {
  for (const machine of machines) {
    const texts = await readContents(
      machine,
      PARTS.map((part) => pathOf(name, part)),
      signal,
    );
    const parts = PARTS.flatMap((part) => {
      const text = texts.get(pathOf(name, part));
      return text === undefined ? [] : [[part, text] as const];
    });
    if (parts.length === PARTS.length) return Object.fromEntries(parts) as Material;
  }
  return undefined;
}

async function createMaterial(
  machines: readonly Remote[],
  name: AuthorityName,
  signal: AbortSignal,
  chosen: CertificateKeys | undefined,
): Promise<Material> {
  const { certificate, commonName } = AUTHORITY[name];
  const previous = await readPrevious(machines, name, signal);
  if (pemBlocks(previous).length === 0) throw missing(name, certificate);
  const keys = chosen ?? keysOf(previous);
  if (commonName === undefined) {
    const { publicKey, privateKey } = await createKeyPair(keys);
    return { "previous.crt": previous, "next.crt": publicKey, "next.key": privateKey };
  }
  const identity = await createAuthority(commonName, DAYS, keys);
  return { "previous.crt": previous, "next.crt": identity.certificate, "next.key": identity.key };
}

/** @throws StepError where a control plane has no key of the CA, or another CA than the others */
async function readPrevious(machines: readonly Remote[], name: AuthorityName, signal: AbortSignal): Promise<string> {
  const { certificate, key } = AUTHORITY[name];
  const script = `[ -s ${key} ] && cat ${certificate}`;
  const action = `${key} and ${certificate} must be on every control plane: restore them, or use --only for other CAs`;
  const texts = await settleAll(
    machines.map(async (machine) => (await machine.read(script, { step: STEP, signal, action })).stdout),
  );
  const [first = "", ...others] = texts.map((text) => pemBlocks(text).join(""));
  if (others.some((other) => other !== first)) throw differing(name);
  return first;
}

function missing(name: AuthorityName, path: string): StepError {
  return new StepError({ step: STEP, cause: `${path} contains no PEM, so ${AUTHORITY[name].title} is not known` });
}

function differing(name: AuthorityName): StepError {
  return new StepError({
    step: STEP,
    cause: `the control planes differ in ${AUTHORITY[name].title}`,
    action: `copy ${AUTHORITY[name].certificate} from a healthy one to the others`,
  });
}

/** Lets a machine know its cluster by the CA from before the rotation. Nothing else may change before this. */
export async function recordFormer(machine: Remote, previous: string, signal: AbortSignal): Promise<void> {
  const former = (await readContents(machine, [FORMER_AUTHORITIES], signal)).get(FORMER_AUTHORITIES);
  const file = textFile(FORMER_AUTHORITIES, formerText(previous, former), "0644");
  await writeFiles(machine, [file], "recording the cluster's CA", signal);
}

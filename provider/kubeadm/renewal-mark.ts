import { KUBEWRIGHT_DOMAIN } from "../../common/labels";

/**
 * Annotation of a static pod with the time at which its certificates were renewed. A changed annotation makes the
 * kubelet replace the pod.
 */
const ANNOTATION = `${KUBEWRIGHT_DOMAIN}/certificates-renewed`;
const LINE = new RegExp(`^    ${ANNOTATION}: .*\\n`, "m");

/** Returns a manifest with the time of the renewal. */
export function markRenewal(manifest: string, time: string): string {
  return withLine(manifest, `    ${ANNOTATION}: "${time}"\n`);
}

/** Returns a rendered manifest with the mark of the one that runs, so that rendering alone restarts nothing. */
export function keepRenewalMark(rendered: string, current = ""): string {
  const [line] = LINE.exec(current) ?? [];
  return line === undefined ? rendered : withLine(rendered, line);
}

/** Returns a manifest without the mark, and without a map of annotations that only it was in. */
export function withoutRenewalMark(manifest: string): string {
  return manifest.replace(LINE, "").replace(/^  annotations:\n(?!    )/m, "");
}

function withLine(manifest: string, line: string): string {
  const text = manifest.replace(LINE, "");
  return /^  annotations:\n/m.test(text)
    ? text.replace(/^  annotations:\n/m, (found) => found + line)
    : text.replace(/^metadata:\n/m, (found) => `${found}  annotations:\n${line}`);
}

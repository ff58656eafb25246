import { commandLine } from "../../common/quote";

const DATA = /^(\s*certificate-authority-data: ).*$/gm;

/** Returns a kubeconfig with another bundle of CAs. Its other lines stay. */
export function withAuthorityData(kubeconfig: string, bundle: string): string {
  const data = Buffer.from(bundle).toString("base64");
  return kubeconfig.replace(DATA, (_line, key: string) => key + data);
}

/**
 * Returns a script that writes a bundle into kubeconfigs on the machine. They contain private keys, which stay there.
 * `kubeadm certs renew` writes the first certificate of a bundle only, so this runs after it.
 * @param bundle path of the bundle
 */
export function authorityDataScript(kubeconfigs: readonly string[], bundle: string): string {
  if (kubeconfigs.length === 0) return "";
  return `data=$(base64 -w0 < ${commandLine([bundle])})
for file in ${commandLine(kubeconfigs)}; do
  [ -f "$file" ] || continue
  hidden="$(dirname "$file")/.$(basename "$file").authority"
  cp -p "$file" "$hidden"
  sed "s|^\\( *certificate-authority-data: \\).*|\\1$data|" "$file" > "$hidden"
  mv -fT "$hidden" "$file"
done`;
}

const SERVER = /^([ \t]*(?:- )?server:[ \t]*)(\S+)[ \t]*$/m;

/** Returns the address of the API server that a kubeconfig names, without its scheme: `host:port`. */
export function serverOf(kubeconfig: string): string | undefined {
  return SERVER.exec(kubeconfig)?.[2]
    ?.replace(/^"|"$/g, "")
    .replace(/^https:\/\//, "");
}

/**
 * Returns the kubeconfig with another address of the API server. Everything else stays as it is.
 * @param endpoint `host:port`
 */
export function withServer(kubeconfig: string, endpoint: string): string {
  return kubeconfig.replace(new RegExp(SERVER, "gm"), `$1https://${endpoint}`);
}

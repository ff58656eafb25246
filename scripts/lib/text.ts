/** `KubeadmInit control-plane` */
export function labelOf(urn: string): string {
  const [, , types = "", ...name] = urn.split("::");
  const type = types.split("$").pop()?.split(":").pop() ?? "";
  return type === "Stack" ? name.join("::") : `${type} ${name.join("::")}`;
}

/** How long ago: `12.3 s` */
export function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

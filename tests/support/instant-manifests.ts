/**
 * Replaces `provider/kubeadm/apply-manifests` where the proof and the restoration of static pods are not what is
 * tested: writes the files of each stage.
 */
export async function applyManifests(
  _context: unknown,
  _machine: unknown,
  { stages }: { stages: { write(): Promise<void> }[] },
): Promise<void> {
  for (const { write } of stages) await write();
}

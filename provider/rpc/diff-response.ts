import * as provider from "@pulumi/pulumi/proto/provider_pb";
import type { Change } from "./diff";

/** Encodes changed paths, and those among them that need a new resource, for the engine. */
export function diffResponse(
  changes: readonly Change[],
  replacing: readonly Change[],
  deleteBeforeReplace: boolean,
): provider.DiffResponse {
  const { DiffChanges } = provider.DiffResponse;
  const response = new provider.DiffResponse();
  response.setChanges(changes.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE);
  response.setHasdetaileddiff(true);
  for (const change of changes)
    response.getDetaileddiffMap().set(change.path, propertyDiff(change, replacing.includes(change)));
  response.setDiffsList(topLevelNames(changes));
  response.setReplacesList(topLevelNames(replacing));
  response.setDeletebeforereplace(deleteBeforeReplace);
  return response;
}

function propertyDiff({ kind }: Change, replaces: boolean): provider.PropertyDiff {
  const name = `${kind.toUpperCase()}${replaces ? "_REPLACE" : ""}` as keyof typeof provider.PropertyDiff.Kind;
  const difference = new provider.PropertyDiff();
  difference.setKind(provider.PropertyDiff.Kind[name]);
  difference.setInputdiff(true);
  return difference;
}

function topLevelNames(changes: readonly Change[]): string[] {
  return [...new Set(changes.map(({ path }) => path.split(/[.[]/)[0] ?? path))];
}

import { quote } from "../../common/quote";

/**
 * Defines the shell function `place`, which replaces a file by a copy in one step. The source stays, so that a script
 * that runs again after a lost connection succeeds. The kubelet ignores the hidden name.
 */
export const PLACE = `place() {
  hidden="$(dirname "$2")/.$(basename "$2").arriving"
  cp -p "$1" "$hidden"
  mv -fT "$hidden" "$2"
}`;

/** Returns the command that replaces a file. */
export function placeCommand(from: string, to: string): string {
  return `place ${quote(from)} ${quote(to)}`;
}

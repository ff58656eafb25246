import { ask } from "../../../scripts/lib/ask";
import { inSession } from "../../../scripts/lib/operate";

/** A command that only asks, in the frame that every command has. */
void inSession("test", async ({ signal }) => ((await ask("go on?", signal)) ? 0 : 1)).then((code) =>
  process.exit(code),
);

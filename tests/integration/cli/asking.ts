import { ask } from "../../../cli/terminal/prompt";
import { inSession } from "../../../cli/engine/operate";

/** A command that only asks, in the frame that every command has. */
void inSession("test", async ({ signal }) => ((await ask("go on?", signal)) ? 0 : 1)).then((code) =>
  process.exit(code),
);

import { inSession } from "../../../cli/engine/operate";
import { confirm } from "../../../cli/terminal/prompt";

/** A command that only asks for confirmation, in the session of every command. */
void inSession("test", async ({ signal }) => ((await confirm("go on?", signal)) ? 0 : 1)).then((code) =>
  process.exit(code),
);

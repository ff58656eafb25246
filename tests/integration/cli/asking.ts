import { withSession } from "../../../cli/engine/session";
import { confirm } from "../../../cli/terminal/prompt";

/** A command that only asks for confirmation, in the session of every command. */
void withSession("test", async ({ signal }) => ((await confirm("go on?", signal)) ? 0 : 1)).then((code) =>
  process.exit(code),
);

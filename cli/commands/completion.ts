import { StepError } from "../../common/errors";
import { completionScript, SHELLS } from "../terminal/completion";
import type { Options } from "../terminal/options";
import { COMMANDS } from "./table";

/** `kubewright completion bash`: prints the script with which a shell completes commands and options. */
export async function run({ words }: Options): Promise<number> {
  const shell = SHELLS.find((one) => one === words[0]);
  if (!shell)
    throw new StepError({
      step: "reading the command line",
      cause: `${words[0] ?? ""} is not a shell that Kubewright knows`,
      action: `use one of ${SHELLS.join(", ")}`,
    });
  process.stdout.write(completionScript(shell, Object.values(COMMANDS)));
  return 0;
}

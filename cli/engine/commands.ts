import type { CommandDefinition } from "../terminal/command-line";
import { LANGUAGES, TEMPLATES } from "./project-templates";

/** The commands that create projects. */
export const PROJECT_COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  init: {
    name: "init",
    summary: "Creates a project: a folder with the configuration of a cluster.",
    details: "The folder is the current one unless another is given. No existing file is changed.",
    arguments: [["[folder]", "folder of the project; it may exist already"]],
    hasProject: false,
    options: [
      ["--template <template>", "machines of the cluster (default: docker)", TEMPLATES],
      ["--language <language>", "also write a program in this language, to extend it (default: none)", LANGUAGES],
    ],
    examples: [
      ["", "create a project for local Docker machines here"],
      ["lab --template hosts", "create a project for machines of yours in the folder lab"],
      ["lab --language python", "create a project with a program in Python in the folder lab"],
    ],
  },
};

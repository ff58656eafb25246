import { CONFIGURATION_SCHEMA, configurationPage } from "./configuration";
import { Documentation } from "./documented-type";
import { CONTRACT_MODULES, resourcesPage } from "./resources";

/** Every generated page of docs/, by its path in the project. */
export function referencePages(): Record<string, string> {
  const documentation = new Documentation([CONFIGURATION_SCHEMA, ...CONTRACT_MODULES]);
  return {
    "docs/configuration.md": configurationPage(documentation),
    "docs/resources.md": resourcesPage(documentation),
  };
}

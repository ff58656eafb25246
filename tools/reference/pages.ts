import { CONFIGURATION_SCHEMA, configurationPage } from "./configuration";
import { Documentation } from "./documented-type";

/** Every generated page of docs/, by its path in the project. */
export function referencePages(): Record<string, string> {
  const documentation = new Documentation([CONFIGURATION_SCHEMA]);
  return { "docs/configuration.md": configurationPage(documentation) };
}

import { CONFIGURATION_SCHEMA, configurationPage, configurationProperties } from "./configuration";
import { commandsPage } from "./commands";
import { Documentation } from "./documented-type";
import { hardeningPage } from "./hardening";
import { configurationSchema } from "./json-schema";
import { packageSchema } from "./package-schema";
import { CONTRACT_MODULES, resourcesPage } from "./resources";

/** Every generated page and schema, by its path in the project. */
export function referencePages(): Record<string, string> {
  const documentation = new Documentation([CONFIGURATION_SCHEMA, ...CONTRACT_MODULES]);
  const sections = configurationProperties(documentation);
  return {
    "docs/commands.md": commandsPage(),
    "docs/configuration.md": configurationPage(documentation),
    "docs/hardening.md": hardeningPage(),
    "docs/resources.md": resourcesPage(documentation),
    "templates/project/kubewright.schema.json": configurationSchema(sections),
    "provider/schema.json": packageSchema(sections),
  };
}

import * as pulumi from "@pulumi/pulumi";

/**
 * Runs a compiled program as a preview does, without an engine or a plugin: copied beside the program and started with
 * its name. Prints a line for each resource that the program creates.
 */
async function preview(program: string): Promise<void> {
  const mocks: pulumi.runtime.Mocks = {
    call: ({ inputs }) => inputs as Record<string, unknown>,
    newResource({ type, name, inputs }) {
      process.stdout.write(`${type} ${name}\n`);
      return { id: name, state: inputs as Record<string, unknown> };
    },
  };
  await pulumi.runtime.setMocks(mocks, "example", "test", true);
  pulumi.runtime.setAllConfig({ "example:sudoPassword": "secret" });
  await import(program); // the process ends when all resources are registered
}

void preview(`./${process.argv[2] ?? ""}`);

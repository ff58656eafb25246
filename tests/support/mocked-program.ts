import * as pulumi from "@pulumi/pulumi";

/**
 * Copied beside a person's compiled program, and run there with its name: loads it as a preview does, with no engine
 * and no plugin near. Every resource that it wants is a line on stdout.
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
  await import(program); // the process ends once all of them are registered
}

void preview(`./${process.argv[2] ?? ""}`);

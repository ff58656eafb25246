import { z } from "zod";
import { StepError } from "../../common/errors";
import { commandLine, quote } from "../../common/quote";
import { HOST_IGNORES, HOST_REPLACES, lookAt, onHost, theMachine } from "../host/on-host";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const schema = z.strictObject({
  ...onHost,
  /** Names of the distribution's packages. */
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]*$/, "not the name of a package")),
  osFamily: z.enum(["debian", "fedora", "other"]),
  /** A program that makes the packages unnecessary where the machine has it already: Docker's own `dockerd`. */
  unlessProgram: z.string().regex(/^[a-z0-9.-]+$/, "not the name of a program").optional(),
});

type PackagesInputs = z.infer<typeof schema>;
type PackagesOutputs = Record<string, never>;

const INSTALL_SECONDS = 600;
const MANAGERS = {
  debian: {
    missing: (names: string) => `for p in ${names}; do dpkg-query -Wf '\${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || echo "$p"; done`,
    // The lock is waited for: unattended upgrades hold it for minutes after a first boot.
    // An installation that was cut off is finished first.
    install: (names: string) => `export DEBIAN_FRONTEND=noninteractive
dpkg --configure -a
apt-get -o DPkg::Lock::Timeout=300 -qq update
apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends ${names}`,
  },
  fedora: {
    missing: (names: string) => `for p in ${names}; do rpm -q --whatprovides "$p" >/dev/null 2>&1 || echo "$p"; done`,
    install: (names: string) => `dnf -q -y --setopt=install_weak_deps=False install ${names}`,
  },
} as const;

async function missing(machine: Remote, inputs: PackagesInputs, signal: AbortSignal): Promise<string[]> {
  if (inputs.osFamily === "other" || inputs.packages.length === 0) return [];
  const list = MANAGERS[inputs.osFamily].missing(commandLine(inputs.packages));
  const script = inputs.unlessProgram === undefined ? list : `command -v ${quote(inputs.unlessProgram)} >/dev/null || { ${list}; }`;
  const { stdout } = await machine.look(script, { step: "listing packages", signal });
  return stdout.split("\n").filter(Boolean);
}

async function install(context: Context, inputs: PackagesInputs): Promise<void> {
  const machine = await theMachine(context, inputs);
  const { signal } = context;
  const names = await missing(machine, inputs, signal);
  if (names.length === 0 || inputs.osFamily === "other") return;
  context.status(`installing ${names.join(" ")}`);
  const step = "installing packages";
  const toDo = (which: string[]) => `install ${which.join(" ")} by hand, or give the machine a package source`;
  await machine.run(`set -e\n${MANAGERS[inputs.osFamily].install(commandLine(names))}`, { step, signal, timeout: INSTALL_SECONDS, action: toDo(names) });
  // dnf can be told to go on without what it does not find.
  const still = await missing(machine, inputs, signal);
  if (still.length > 0) throw new StepError({ step, machine: machine.label, cause: `there is still no ${still.join(", no ")}`, action: toDo(still) });
}

/** The distribution's packages that a node needs. They stay on delete: others may use them by now. */
const packages: Handler<PackagesInputs, PackagesOutputs> = {
  schema,
  outputs: [],
  replaceOn: HOST_REPLACES,
  ignore: HOST_IGNORES,
  async create(context, inputs) {
    await install(context, inputs);
    return { id: `${inputs.instance}/packages`, outputs: {} };
  },
  async update(context, _id, inputs) {
    await install(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    lookAt(context, old, async (machine) => {
      const gone = new Set(await missing(machine, old.inputs, context.signal));
      return { inputs: { ...old.inputs, packages: old.inputs.packages.filter((name) => !gone.has(name)) }, outputs: {} };
    }),
};

export const packagesResource = register(packages);

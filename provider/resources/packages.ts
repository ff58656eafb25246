import type { Inputs } from "../../contracts/contract";
import { packagesContract } from "../../contracts/host/packages";
import { StepError } from "../../common/errors";
import { commandLine, quote } from "../../common/quote";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, requireMachine } from "../host/on-machine";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type PackagesInputs = Inputs<typeof packagesContract>;

const INSTALL_SECONDS = 600;
/** Seconds: after a first boot, unattended upgrades hold the locks for minutes. */
const LOCK_SECONDS = 300;
const WAITING = "waiting: ";

/**
 * A shell function that repeats a command while another process holds a package lock: dpkg never waits for one, and apt
 * does not wait for the lock of its package lists.
 */
const unlocked = (patience: number) => `export DEBIAN_FRONTEND=noninteractive LC_ALL=C
end=$(($(date +%s) + ${Math.ceil(LOCK_SECONDS * patience)}))
unlocked() {
  until output=$("$@" 2>&1); do
    held=$(echo "$output" | grep -iE -m1 'locked by another process|could not get lock|unable to lock') || {
      echo "$output" >&2
      return 1
    }
    [ "$(date +%s)" -lt $end ] || {
      echo "$held, and is still held: check what that process does, then run the command again" >&2
      return 1
    }
    echo "${WAITING}$held"
    sleep 1
  done
}`;

/** Masks services while their packages are installed, because Debian starts the services of new packages. */
function withoutStarting(services: readonly string[]): string {
  if (services.length === 0) return "";
  const names = commandLine(services);
  return `trap 'systemctl -q unmask ${names}; systemctl -q disable ${names} 2>/dev/null' EXIT
systemctl -q mask ${names}`;
}

const MANAGERS = {
  debian: {
    listMissing: (names: string) =>
      `for p in ${names}; do
  dpkg-query -Wf '\${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || echo "$p"
done`,
    // Finishes an interrupted installation first.
    install: (names: string, patience: number, services: readonly string[]) => `${withoutStarting(services)}
${unlocked(patience)}
unlocked dpkg --configure -a
unlocked apt-get -qq update
unlocked apt-get -qq install -y --no-install-recommends ${names}`,
  },
  fedora: {
    listMissing: (names: string) =>
      `for p in ${names}; do rpm -q --whatprovides "$p" >/dev/null 2>&1 || echo "$p"; done`,
    // Fedora does not start the services of new packages.
    install: (names: string) => `dnf -q -y --setopt=install_weak_deps=False install ${names}`,
  },
} as const;

async function listMissing(machine: Remote, inputs: PackagesInputs, signal: AbortSignal): Promise<string[]> {
  if (inputs.osFamily === "other" || inputs.packages.length === 0) return [];
  const list = MANAGERS[inputs.osFamily].listMissing(commandLine(inputs.packages));
  const script =
    inputs.unlessProgram === undefined ? list : `command -v ${quote(inputs.unlessProgram)} >/dev/null || { ${list}; }`;
  const { stdout } = await machine.read(script, { step: "listing packages", signal });
  return stdout.split("\n").filter(Boolean);
}

async function install(context: Context, inputs: PackagesInputs): Promise<void> {
  const machine = await requireMachine(context, inputs);
  const { signal } = context;
  const names = await listMissing(machine, inputs, signal);
  if (names.length === 0 || inputs.osFamily === "other") return;
  context.status(`installing ${names.join(" ")}`);
  const step = "installing packages";
  const action = (which: string[]) =>
    `install ${which.join(" ")} manually, or configure a package source on the machine`;
  const onLine = (line: string) => line.startsWith(WAITING) && context.status(line);
  const script = MANAGERS[inputs.osFamily].install(commandLine(names), machine.patience, inputs.unusedServices ?? []);
  await machine.run(`set -e\n${script}`, {
    step,
    signal,
    timeout: INSTALL_SECONDS,
    action: action(names),
    onLine,
  });
  // dnf can be configured to continue without packages that it does not find.
  const stillMissing = await listMissing(machine, inputs, signal);
  if (stillMissing.length > 0)
    throw new StepError({
      step,
      machine: machine.label,
      cause: `${stillMissing.join(", ")} is still missing`,
      action: action(stillMissing),
    });
}

const idOf = ({ instance }: PackagesInputs) => `${instance}/packages`;

/** The distribution's packages that a node needs. They stay on delete, because other programs may use them by then. */
const packages: Handler<typeof packagesContract> = {
  contract: packagesContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: MACHINE_IGNORE,
  async create(context, inputs) {
    await install(context, inputs);
    return { id: idOf(inputs), outputs: {} };
  },
  adopt: adoptById(idOf),
  async update(context, _id, inputs) {
    await install(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const missing = new Set(await listMissing(machine, old.inputs, context.signal));
      return {
        inputs: { ...old.inputs, packages: old.inputs.packages.filter((name) => !missing.has(name)) },
        outputs: {},
      };
    }),
};

export const packagesResource = register(packages);

import type fc from "fast-check";
import type { ProviderContext } from "../../provider/context/context";
import type { Handler } from "../../provider/rpc/handler";
import type { ProviderSettings } from "../../provider/settings/settings";
import { Faults } from "./faults";
import { MemoryEngine, type Json } from "./memory-engine";
import { NodeApi } from "./node-api";
import { NodeMachine } from "./node-machine";

/** A kind of resource, with programs to run. */
export interface ResourceKind {
  name: string;
  handler: Handler;
  /** Inputs of three programs, without those that all resources on a machine have. */
  programs: fc.Arbitrary<readonly [Json, Json, Json]>;
  /** Inputs of this kind that are not those of other kinds with the same name. */
  without?: readonly string[];
  /** Creates the machine; default: one without anything of Kubernetes. */
  machine?: (faults: Faults) => NodeMachine;
  /** Prepares the machine and the API for the resource. */
  prepare?: (world: World) => void;
  /** Does what the resources that are created after this one do. */
  afterUp?: (world: World) => void;
  /** Compares what a snapshot does not have. @throws if the machine is not as the program describes it */
  verify?: (world: World, program: Json) => void;
  /** Whether the program fails without a fault. */
  fails?: (program: Json) => boolean;
  /** Why the state after a delete differs from that before the create. `apply` makes that difference. */
  leaves?: { reason: string; apply: (reference: World, deleted: World) => void };
}

/** One machine, the API of its cluster, and one resource. */
export class World {
  readonly faults = new Faults();
  readonly machine: NodeMachine;
  readonly api: NodeApi;
  readonly engine: MemoryEngine;
  private readonly context: ProviderContext;

  constructor(
    readonly kind: ResourceKind,
    caCertificate: string,
  ) {
    this.machine = kind.machine?.(this.faults) ?? new NodeMachine(this.faults);
    this.api = new NodeApi(this.faults, caCertificate);
    this.context = this.createContext();
    this.engine = new MemoryEngine(kind.handler, () => this.context);
    kind.prepare?.(this);
  }

  private createContext(): ProviderContext {
    const no = async () => false;
    const context = this.machine.context({ isMachineRemoved: no, isMachineOff: no });
    context.kube.api = async () => await this.api.open();
    context.kube.forget = () => undefined;
    return context;
  }

  async up(program: Json): Promise<string[]> {
    const operations = await this.engine.up({ ...this.target, ...program });
    this.kind.afterUp?.(this);
    return operations;
  }

  /** Loses the state, and takes the resource into a new one. Scripts that change the machine are refused. */
  async adopt(program: Json): Promise<void> {
    const { machine, engine } = this;
    const [run, settings] = [machine.run.bind(machine), this.context.settings as ProviderSettings];
    engine.state = undefined;
    settings.adopting = true;
    machine.read = run;
    machine.run = (script) => Promise.reject(new Error(`the adoption runs ${script}`));
    try {
      await engine.up({ ...this.target, ...program });
    } finally {
      settings.adopting = false;
      machine.run = run;
    }
  }

  /** Inputs that every resource on the machine has, as far as the contract of the kind has them. */
  private get target(): Json {
    const { connection, instance } = this.machine.target;
    const all: Json = {
      connection: { ...connection },
      instance,
      controlPlanes: [{ host: "10.0.0.9" }],
      caCertHash: "sha256:a",
    };
    const names = Object.keys(this.kind.handler.contract.inputs.shape).filter(
      (name) => !this.kind.without?.includes(name),
    );
    return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  }

  snapshot() {
    return { machine: this.machine.snapshot(), api: this.api.snapshot() };
  }
}

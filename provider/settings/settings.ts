import { DEFAULT_TRANSFER, type Transfer } from "../../common/transfer";

/** Environment variable of the provider: the run takes what exists into a new state, and changes nothing. */
export const ADOPT_VARIABLE = "KUBEWRIGHT_ADOPT";

/** Settings for Docker from the user's environment. */
export interface DockerEnvironment {
  /** Address of another daemon than the local one: `DOCKER_HOST`. */
  host?: string | undefined;
  /** Proxy variables, such as `HTTPS_PROXY`, that a daemon started here gets. */
  proxies: Readonly<Record<string, string>>;
}

/** Settings of the provider: the stack's configuration, and for a few of them the environment. */
export interface ProviderSettings {
  /** Factor for every deadline: `timeouts.patience`. @default 1 */
  patience: number;
  /** Seconds until a started service must be healthy: `timeouts.healthy`. @default 120 */
  healthySeconds: number;
  /** How binaries reach machines: `transfer`. @default auto */
  transfer: Transfer;
  /** SSH connections that are open at the same time, over all machines. @default 256 */
  connectionLimit: number;
  /** Socket of the SSH agent. */
  agentSocket?: string | undefined;
  dockerEnvironment: DockerEnvironment;
  /** Whether resources are taken into a new state as they are, instead of created. @default false */
  adopting: boolean;
  /** Names of machines that will not come back, or `all`: deletes leave behind what is on them. @default [] */
  abandoned: readonly string[];
  /** Machine-ids of machines that this run replaces: nothing on them needs to be removed. @default [] */
  rebuilt: readonly string[];
  /** The backup from which a lost cluster is created again: `backup.restoreFrom`. @default none */
  restoreFrom?: string | undefined;
  /** By machine name: fingerprint (`SHA256:...`) of a changed host key that the user accepts. @default {} */
  acceptHostKeys: Readonly<Record<string, string>>;
}

export const DEFAULT_SETTINGS: ProviderSettings = {
  patience: 1,
  healthySeconds: 120,
  transfer: DEFAULT_TRANSFER,
  connectionLimit: 256,
  dockerEnvironment: { proxies: {} },
  adopting: false,
  abandoned: [],
  rebuilt: [],
  acceptHostKeys: {},
};

import { quote } from "../../common/quote";
import { template } from "../template";
import { ACCESS_FOLDER, RESTIC } from "./access";
import { BACKUP_FOLDER } from "./etcd-programs";

/** A repository as a control plane uses it, with the files of its access. */
export interface MachineRepository {
  /** The repository's address, as restic reads it on the control plane. */
  repository: string;
  /** Options of restic that name the files of the access. */
  options: readonly string[];
}

/**
 * Renders the shell functions that call restic on a control plane. They use the variables `access`, `restic`,
 * `repository` and `state`.
 */
export function resticFunctions(options: readonly string[]): string {
  return template("backup/repository.sh", { OPTIONS: options.map((word) => `${quote(word)} `).join("") });
}

/**
 * Shell script that calls restic as the timer does, and prints only its errors. Its exit code is that of restic, or 124
 * if restic does not end.
 * @param command command and options of restic
 * @param seconds until restic is ended
 */
export function resticScript({ repository, options }: MachineRepository, command: string, seconds: number): string {
  const values = { repository, access: ACCESS_FOLDER, restic: RESTIC, state: BACKUP_FOLDER };
  const lines = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`);
  return `umask 077\n${lines.join("\n")}\n${resticFunctions(options)}\ncall_restic ${seconds} ${command} >/dev/null\n`;
}

import { StepError, type StepFailure } from "../../common/errors";
import { lastLines } from "../../common/process";
import { commandLine } from "../../common/quote";
import { userCommand } from "../../common/user-command";
import { sshWords } from "../../render/backup/access";
import { type MachineRepository, resticScript } from "../../render/backup/machine-restic";
import type { Context } from "../rpc/handler";
import { ANY_CODE, type Remote } from "../ssh/remote";
import { ALREADY_EXISTS, ResticCode, reasonOfRetries } from "./restic-outcome";
import { sftpFailure, sftpLogin } from "./sftp-failure";

/** Seconds. restic repeats requests that S3 refuses for a quarter of an hour. */
const SECONDS = 90;
const OPENING = "opening the repository of backups";
const CREATING = "creating the repository of backups";

/**
 * Proves that a control plane opens the repository with the password and the keys that it has.
 * @param creates whether a repository that does not exist is created
 * @throws StepError with the reason, and what to correct
 */
export async function proveAccess(
  { status, signal }: Context,
  machine: Remote,
  repository: MachineRepository,
  creates: boolean,
): Promise<void> {
  const call = async (step: string, command: string) => {
    status(step);
    const script = resticScript(repository, command, SECONDS);
    return await machine.run(script, { step, signal, accept: ANY_CODE, timeout: 2 * SECONDS });
  };
  const failure = async (step: string, { code, stderr }: { code: number; stderr: string }) =>
    new StepError({ step, machine: machine.label, ...(await reasonOf(machine, repository, { code, stderr }, signal)) });
  // restic repeats a read from a bucket that does not exist for a quarter of an hour; `init` creates the bucket.
  if (creates && repository.repository.startsWith("s3:")) {
    const created = await call(CREATING, "init");
    if (created.code !== 0 && !ALREADY_EXISTS.test(created.stderr)) throw await failure(CREATING, created);
  }
  // Without a lock, which another command may have.
  const opened = await call(OPENING, "cat config --no-lock");
  if (opened.code === 0) return;
  if (opened.code !== ResticCode.missing || !creates) throw await failure(OPENING, opened);
  const created = await call(CREATING, "init");
  if (created.code !== 0) throw await failure(CREATING, created);
}

async function reasonOf(
  machine: Remote,
  { repository }: MachineRepository,
  { code, stderr }: { code: number; stderr: string },
  signal: AbortSignal,
): Promise<Pick<StepFailure, "cause" | "action">> {
  if (code === ResticCode.wrongPassword)
    return {
      cause: `the password of ${repository} is wrong`,
      action: "correct backup.password in the configuration",
    };
  if (code === ResticCode.missing)
    return {
      cause: `${repository} has no repository`,
      action:
        "if its disk is not mounted on the server, mount it; otherwise correct backup.repository, or create it with " +
        `\`${userCommand("backup")}\``,
    };
  if (/"ssh": executable file not found/.test(stderr))
    return {
      cause: `it has no program ssh, which restic needs for ${repository}`,
      action: "install an SSH client on the machine: openssh-client or openssh-clients",
    };
  // The files on the machine are those of the configuration.
  const sftp = { key: "backup.sftp.key", hostKey: "backup.sftp.hostKey" };
  const failure = await sftpFailure(stderr, { repository, sftp }, signal, () => connect(machine, repository, signal));
  const reason = reasonOfRetries(stderr) ?? lastLines(stderr);
  const cause = code === ResticCode.timeout ? `restic did not end in ${SECONDS} seconds: ${reason}` : reason;
  return (
    failure ?? {
      cause: `${repository}: ${cause}`,
      action: "check that the machine reaches the server, and the keys in the section backup of the configuration",
    }
  );
}

/** Opens the subsystem SFTP from a control plane and closes it again. @returns what ssh prints */
async function connect(machine: Remote, repository: string, signal: AbortSignal): Promise<string> {
  const words = commandLine([...sshWords(), ...sftpLogin(repository)]);
  const script = `timeout ${SECONDS} ssh ${words} </dev/null >/dev/null`;
  const options = { step: "connecting to the server", signal, accept: ANY_CODE };
  return (await machine.run(script, options)).stderr;
}

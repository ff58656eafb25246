import { EmulatedMachine } from "../../support/emulated-machine";
import { startEmulator } from "../../support/ssh-emulator";
import type { HostsSetting, Request, HostsMessage } from "./hosts";

/** The process that hosts.ts forks. */
async function main(setting: HostsSetting): Promise<void> {
  const reply = (message: HostsMessage) => process.send?.(message);
  const failing = new Set(setting.failing);
  const machines = Array.from({ length: setting.hosts }, (_, index) => new EmulatedMachine(index));
  const emulator = await startEmulator({
    hosts: setting.hosts,
    admits: (host) => !failing.has(host),
    answer: (channel, script, host) => machines[host]?.answer(channel, script, setting.latencyMs),
  });
  process.on("message", (request: Request) => {
    if (request === "heal") failing.clear();
    const { connections, commands, mostOpen, mostOpenOfOne } = emulator.seen;
    reply({ seen: { connections, commands, mostOpen, mostOpenOfOne } });
  });
  const end = () => void emulator.stop().finally(() => process.exit(0));
  process.on("SIGTERM", end).on("disconnect", end);
  reply({ connections: machines.map(({ index }) => emulator.connection(index)) });
}

void main(JSON.parse(process.argv[2] ?? "{}") as HostsSetting);

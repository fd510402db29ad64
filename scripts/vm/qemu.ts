/** How qemu is called. A snapshot can only be restored under the very same machine, so all of it is here. */
import { existsSync, readFileSync } from "node:fs";
import { command } from "./command.ts";

export const program = "qemu-system-x86_64";
/** Of a machine that is not told otherwise. */
export const usualMebibytes = 1536;

/** How qemu's events name the port of the guest's agent. */
export const agentPort = "port1";

export interface Drive {
  /** qcow2 overlay. */
  readonly path: string;
  readonly serial: string;
}

/** A read-only raw disk that was plugged in while the guest ran. */
export interface PluggedDisk {
  readonly path: string;
  readonly serial: string;
  /** Its place on the PCI bus. */
  readonly slot: number;
}

export interface QemuOptions {
  readonly kernel: string;
  readonly initrd: string;
  /** Sockets and the console's log are made in here. */
  readonly folder: string;
  readonly drives: readonly Drive[];
  readonly plugged: readonly PluggedDisk[];
  readonly hardwareAddress: string;
  /** Further words of the kernel's command line, for a cold boot: a snapshot has booted with its own. */
  readonly kernelWords?: string;
  /** With prefix length: `10.0.0.11/24`. */
  readonly address: string;
  /** Socket of a NetworkSwitch; null: a cable that leads nowhere. */
  readonly switchPath: string | null;
  /** File behind the guest's RAM: `share` to make a snapshot of it, a private copy-on-write view to restore one. */
  readonly memory: { readonly path: string; readonly share: boolean } | null;
  readonly mebibytes: number;
  readonly restore: boolean;
}

/**
 * KVM only where it is the hardware's own. A software hypervisor may offer /dev/kvm too (kvm_pvm), on which no
 * distribution kernel boots.
 */
export function accelerator(): { accel: string; cpu: string } {
  const hardware = /\b(vmx|svm)\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  const usable = hardware && existsSync("/dev/kvm") && !existsSync("/sys/module/kvm_pvm");
  // Nehalem is x86-64-v2. With AVX the C library would pick routines that are slow to emulate.
  return usable ? { accel: "kvm", cpu: "host" } : { accel: "tcg,thread=multi", cpu: "Nehalem" };
}

export async function qemuVersion(): Promise<string> {
  return (await command([program, "--version"])).split("\n")[0] ?? "";
}

export function qemuArguments(options: QemuOptions): string[] {
  const { accel, cpu } = accelerator();
  const size = `id=ram,size=${options.mebibytes}M`;
  const memory =
    options.memory === null
      ? `memory-backend-ram,${size}`
      : `memory-backend-file,${size},mem-path=${options.memory.path},share=${options.memory.share ? "on" : "off"}`;
  const network =
    options.switchPath === null
      ? "hubport,id=net,hubid=0"
      : `stream,id=net,server=off,addr.type=unix,addr.path=${options.switchPath}`;
  const further = options.kernelWords ? ` ${options.kernelWords}` : "";
  // On a busy host the guest's kernel would take its TSC for unstable and read the time from qemu's slow HPET instead.
  const words = `console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off tsc=reliable${further}`;
  return [
    ["-nodefaults", "-no-user-config", "-display", "none", "-rtc", "base=utc"],
    ["-machine", "pc,memory-backend=ram", "-object", memory, "-m", `${options.mebibytes}`],
    ["-accel", accel, "-cpu", cpu, "-smp", "2"],
    ["-serial", `file:${options.folder}/console.log`, "-qmp", `unix:${options.folder}/qmp,server=on,wait=off`],
    ["-device", "virtio-serial-pci,addr=3"],
    port(1, "org.qemu.guest_agent.0", `${options.folder}/agent`),
    port(2, "watch", `${options.folder}/watch`),
    ...options.drives.map((drive, position) => disk(drive, 4 + position)),
    ["-netdev", network, "-device", `virtio-net-pci,netdev=net,mac=${options.hardwareAddress},romfile=,addr=8`],
    ...options.plugged.map((plugged) =>
      [
        ["-blockdev", JSON.stringify(blockNode(plugged))],
        [
          "-device",
          `virtio-blk-pci,drive=${nodeName(plugged)},serial=${plugged.serial},id=${plugged.serial},addr=${plugged.slot.toString(16)}`,
        ],
      ].flat(),
    ),
    ["-kernel", options.kernel, "-initrd", options.initrd, "-append", `${words} vm.address=${options.address}`],
    options.restore ? ["-incoming", "defer"] : [],
  ].flat();
}

function port(number: number, name: string, path: string): string[] {
  const id = `port${number}`;
  const chardev = `socket,id=${id},path=${path},server=on,wait=off`;
  return ["-chardev", chardev, "-device", `virtserialport,chardev=${id},nr=${number},name=${name}`];
}

/**
 * `cache=unsafe` leaves the writing to disk to this machine's kernel, which outlives qemu: what the guest flushed
 * before qemu is killed is in the file, and what it only had in its own memory is gone, as in a power cut.
 */
function disk(drive: Drive, slot: number): string[] {
  const id = `disk-${drive.serial}`;
  const source = `file=${drive.path},if=none,id=${id},format=qcow2,cache=unsafe,discard=unmap`;
  return ["-drive", source, "-device", `virtio-blk-pci,drive=${id},serial=${drive.serial},addr=${slot.toString(16)}`];
}

export function nodeName(plugged: PluggedDisk): string {
  return `node-${plugged.serial}`;
}

export function blockNode(plugged: PluggedDisk): Record<string, unknown> {
  const file = { driver: "file", filename: plugged.path, "read-only": true };
  return { driver: "raw", "node-name": nodeName(plugged), "read-only": true, file };
}

/** The only ways in which Kubeferry changes a host. Every effect may be performed again after a crash. */
import { basename, dirname, join } from "node:path";
import type { Digest } from "#bundle";

/** Numeric owner. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * What a written file holds: bytes named by their digest (in the bundle, in the node's secrets, or kept before
 * they were replaced), or the text of a host's own file that was edited (fstab, hosts), which no bundle ever saw.
 */
export type Content = { readonly digest: Digest; readonly size: number } | { readonly text: string };

export type Effect =
  /** Makes one directory; an existing one gets mode and owner. */
  | { readonly do: "mkdir"; readonly path: string; readonly mode: number; readonly owner: Owner }
  /** Keeps the present file under its digest in the journal's folder: a hard link, or a copy across file systems. */
  | { readonly do: "keep"; readonly path: string; readonly digest: Digest }
  /** Temporary file in the same directory, fsync, rename, fsync of the directory. */
  | {
      readonly do: "write";
      readonly path: string;
      readonly content: Content;
      readonly mode: number;
      readonly owner: Owner;
      readonly mtimeMs?: number;
    }
  /**
   * Writes a kubeconfig, 0600, for the server and with the CA of `like`: of a client certificate that lives for minutes,
   * signed by the CA's key on this host. Whoever has it written removes it.
   */
  | {
      readonly do: "sign";
      readonly path: string;
      readonly like: string;
      readonly authority: { readonly certificate: string; readonly key: string };
      readonly user: string;
      readonly group: string;
    }
  /** Puts a kept file back: the very inode where it was linked, with its times and labels. */
  | {
      readonly do: "restore";
      readonly path: string;
      readonly digest: Digest;
      readonly mode: number;
      readonly owner: Owner;
      readonly mtimeMs: number;
    }
  | { readonly do: "symlink"; readonly path: string; readonly target: string }
  /** Moves what somebody edited aside, to `path` + `.kubeferry-kept`, and never over an existing file. */
  | { readonly do: "set-aside"; readonly path: string }
  /** Gives a file or directory another name in the same file system, and never over an existing one. Absent is fine. */
  | { readonly do: "move"; readonly path: string; readonly to: string }
  /** Removes a file or symbolic link; absent is fine. */
  | { readonly do: "remove"; readonly path: string }
  /** Absent or not empty is fine. `data`: it was made for what daemons write into it, which `--delete-data` takes along. */
  | { readonly do: "rmdir-if-empty"; readonly path: string; readonly data?: true }
  /** Removes a directory that we made with everything in it, on its own file system only. Asked for by `--delete-data`. */
  | { readonly do: "remove-tree"; readonly path: string }
  /** Writes a value into a kernel file under /proc/sys, in place. `optional`: an absent key is fine. */
  | { readonly do: "set"; readonly path: string; readonly value: string; readonly optional?: boolean }
  /**
   * Makes the rules of one chain of nftables that bear `comment` exactly these, before all others and in this order, in
   * one transaction of the kernel. A chain that is gone has none. A rule is nft's text without the comment.
   */
  | {
      readonly do: "nft";
      readonly family: string;
      readonly table: string;
      readonly chain: string;
      readonly comment: string;
      readonly rules: readonly string[];
    }
  /**
   * Ends processes: SIGTERM, and SIGKILL to those that are still there after `graceSeconds` (0: SIGKILL at once). A process
   * that did not start at `started` (as in /proc/PID/stat) only has the number of one that is gone, and is let be.
   */
  | {
      readonly do: "end";
      readonly processes: readonly { readonly pid: number; readonly started: string; readonly what: string }[];
      readonly graceSeconds: number;
    }
  /** Takes off what is mounted there last; one that is busy or does not answer is detached. Nothing mounted is fine. */
  | { readonly do: "umount"; readonly path: string }
  /** Tells systemd. `unit` is wanted by all but `daemon-reload`; one that is gone is stopped. */
  | {
      readonly do: "systemctl";
      readonly verb: "daemon-reload" | "start" | "restart" | "reload" | "stop" | "reset-failed";
      readonly unit?: string;
      readonly noBlock?: boolean;
    }
  /** Runs a program; any exit code outside `accept` (default: 0) is a failure, and so is stdout that does not match `matches`. */
  | {
      readonly do: "run";
      readonly argv: readonly string[];
      /** Beside the fixed environment that every program gets. */
      readonly environment?: Readonly<Record<string, string>>;
      readonly accept?: readonly number[];
      /** A regular expression, for programs whose exit code says too little. */
      readonly matches?: string;
      /** A file of the host that it reads as its standard input. Default: nothing. */
      readonly stdin?: string;
      /** Text that it reads as its standard input, in place of a file. */
      readonly input?: string;
      /**
       * A regular expression: a failure is fine whose stderr it matches, or `did not end within`. For what is gone
       * already, or with its server.
       */
      readonly forgive?: string;
      /** A regular expression: a failure whose stderr it matches is tried again each second, within the same time. */
      readonly retry?: string;
      readonly timeoutSeconds?: number;
    };

/** The temporary file of a write: in the same directory, and always the same one, so that a crash leaves at most it. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.kubeferry`);
}

/** A host as the installer sees it: a reader may look; only a Host may perform an effect. */
import type { Digest } from "#bundle";
import type { Effect, Owner } from "./effect.ts";

/** What is at a path, without following a symbolic link. */
export type Stat =
  | {
      readonly type: "file";
      readonly mode: number;
      readonly owner: Owner;
      readonly size: number;
      readonly mtimeMs: number;
      readonly device: number;
    }
  | { readonly type: "directory"; readonly mode: number; readonly owner: Owner; readonly device: number }
  | { readonly type: "symlink"; readonly target: string; readonly device: number }
  | { readonly type: "other"; readonly device: number };

export interface QueryResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HostReader {
  /** `/`, or the mounted tree of `--root`. All paths below are as the node itself will see them. */
  readonly root: string;
  /** False with `--root`: no service is started, no kernel value is set. */
  readonly live: boolean;
  stat(path: string): Promise<Stat | null>;
  /** Of a regular file. */
  digest(path: string): Promise<Digest>;
  /** Of regular files, in their order; read on all cores. */
  digests(files: readonly { readonly path: string; readonly size: number }[]): Promise<Digest[]>;
  /** Text of a small file (at most 1 MiB); null when there is none. */
  read(path: string): Promise<string | null>;
  /** Names in a directory, sorted; empty when there is none. */
  list(path: string): Promise<string[]>;
  /**
   * Runs a program that only looks. A missing program gives code 127; never throws for an exit code. Never through a
   * shell. Of a longer output only the last `outputLimit` characters are kept (default: 256 Ki).
   */
  query(
    argv: readonly string[],
    options?: { environment?: Record<string, string>; timeoutSeconds?: number; outputLimit?: number },
  ): Promise<QueryResult>;
}

export interface Host extends HostReader {
  perform(effect: Effect): Promise<void>;
}

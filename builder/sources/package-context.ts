/** What resolving and fetching packages of the operating system needs to know. */
import type { Platform } from "#bundle";
import type { HttpSettings } from "../http/client.ts";

export interface PackageContext {
  readonly platforms: readonly Platform[];
  /** Folder for apt's private state and repositories' metadata, `<cache>/packages`. */
  readonly state: string;
  /** For rpm repositories; apt has the settings of this machine. */
  readonly http: HttpSettings;
  readonly signal?: AbortSignal | undefined;
}

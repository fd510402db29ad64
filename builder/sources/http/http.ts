/** Files of web servers, mirrors among them. */
import type { AttemptsOptions } from "../../http/attempts.ts";
import type { HttpClient } from "../../http/client.ts";
import { fileAt } from "../../http/read.ts";
import type { Store } from "../../store/store.ts";
import { type Source, type Sum, sumOf } from "../source.ts";
import { download, type DownloadOptions } from "./download.ts";

export interface WebFile extends DownloadOptions, Omit<AttemptsOptions, "http"> {
  readonly url: string;
}

export function createHttpSource(http: HttpClient, store: Store): Source<WebFile, Sum, WebFile> {
  return {
    async resolve(file) {
      return await this.open(file, sumOf);
    },
    async open(file, take) {
      return await download({ ...fileAt(file.url, http), ...file }, store, file, take);
    },
  };
}

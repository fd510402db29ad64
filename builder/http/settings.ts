/** The build's HTTP settings from an environment that is passed in: proxies, a CA bundle, credentials. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ExpectedError } from "#cli/errors";
import { whyUnreadable } from "#cli/system-error";
import type { HttpSettings } from "./client.ts";
import { parseNetrc } from "./netrc.ts";

export interface HttpSettingsOptions {
  /** `--ca FILE`, PEM: trusted beside the usual ones, as SSL_CERT_FILE is. */
  readonly ca?: string | undefined;
}

/**
 * HTTP_PROXY, HTTPS_PROXY, NO_PROXY (or in lower case, which goes first), SSL_CERT_FILE, NETRC or ~/.netrc.
 * CONFIG_UNREADABLE for a file that is named and cannot be read; ~/.netrc may be absent.
 */
export async function httpSettingsFrom(
  environment: Readonly<Record<string, string | undefined>>,
  options: HttpSettingsOptions = {},
): Promise<HttpSettings> {
  const value = (name: string): string | undefined => {
    const found = environment[name.toLowerCase()] ?? environment[name];
    return found === "" ? undefined : found;
  };
  const bundles = [value("SSL_CERT_FILE"), options.ca].filter((path) => path !== undefined);
  return {
    httpProxy: value("HTTP_PROXY"),
    httpsProxy: value("HTTPS_PROXY"),
    noProxy: value("NO_PROXY"),
    extraCa: await Promise.all(bundles.map((path) => readCa(path))),
    netrc: parseNetrc(await readNetrc(value("NETRC"), value("HOME"))),
  };
}

async function readCa(path: string): Promise<string> {
  const text = await readNamed(path);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ExpectedError("CONFIG_INVALID", "this file holds no PEM certificate", {
    where: path,
    hint: "openssl x509 -inform der -in FILE -out ca.pem",
  });
}

async function readNetrc(named: string | undefined, home: string | undefined): Promise<string> {
  if (named !== undefined) return await readNamed(named);
  if (home === undefined) return "";
  return await readFile(join(home, ".netrc"), "utf8").catch(() => "");
}

async function readNamed(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new ExpectedError("CONFIG_UNREADABLE", `cannot read ${path}: ${whyUnreadable(cause)}`, {
      where: path,
      cause,
      hint: "--ca, SSL_CERT_FILE and NETRC want the path of a file",
    });
  }
}

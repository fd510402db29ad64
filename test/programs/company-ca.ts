/** A company's root CA, of the distribution's openssl: what a root in an HSM would do with a request. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface CompanyCa {
  /** PEM. */
  readonly root: string;
  /** Signs a request as an intermediate CA; PEM. */
  sign(csr: string, extensions?: string): string;
}

const authority = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n";

/** Its key is in `folder`. */
export function companyCa(folder: string): CompanyCa {
  const at = (name: string): string => join(folder, name);
  const openssl = (...words: string[]): void => {
    execFileSync("openssl", words, { stdio: ["ignore", "ignore", "pipe"] });
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout", at("root.key")];
  const usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  openssl(
    "req",
    "-x509",
    ...key,
    ...usage,
    "-days",
    "3650",
    "-subj",
    "/O=Example/CN=Example Root",
    "-out",
    at("root.pem"),
  );
  return {
    root: readFileSync(at("root.pem"), "utf8"),
    sign(csr, extensions = authority) {
      writeFileSync(at("one.csr"), csr);
      const keys = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
      writeFileSync(at("one.ext"), extensions + keys);
      const by = ["-CA", at("root.pem"), "-CAkey", at("root.key"), "-CAcreateserial", "-extfile", at("one.ext")];
      openssl("x509", "-req", "-in", at("one.csr"), ...by, "-days", "1000", "-out", at("one.pem"));
      return readFileSync(at("one.pem"), "utf8");
    },
  };
}

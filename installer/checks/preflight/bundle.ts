/** Preflight of the bundle against this host and day: age, certificates' life and addresses, packages' distribution. */
import type { CertificateEntry } from "#bundle";
import { error, type Finding, ok, warning } from "#cli/finding";
import { chosen } from "../../plan/input.ts";
import { addressNumber, familyOf } from "#formats/address";
import type { PreflightInput } from "./input.ts";

const day = 24 * 60 * 60 * 1000;
const oldAfterDays = 180;
const warnBeforeDays = 30;

export function bundleAge({ bundle, now }: PreflightInput): Finding[] {
  const age = Math.floor((now.getTime() - Date.parse(bundle.index.locked)) / day);
  const hint = "on the online side: kubeferry lock --update, then build";
  if (age <= oldAfterDays) return [ok("bundle-age", `${Math.max(age, 0)} days`)];
  const message = "the software in this bundle is old; it lacks what was fixed since";
  return [warning("bundle-age", message, { expected: `${oldAfterDays} days`, found: `${age} days`, hint })];
}

/** The node's own certificates, and the CAs that it trusts. */
function certificatesOf({ bundle, selection }: PreflightInput): CertificateEntry[] {
  return bundle.index.certificates.filter(({ node }) => node === selection.profile.name);
}

/** A clock outside every certificate's validity is told as what it is. */
export function certificateLife(input: PreflightInput): Finding[] {
  const certificates = certificatesOf(input);
  const now = input.now.getTime();
  const early = certificates.filter(({ notBefore }) => Date.parse(notBefore) > now);
  const [first] = early;
  if (first !== undefined) {
    const message = "this host's clock is before the certificates were made";
    const found = input.now.toISOString();
    return [
      error("clock", message, { expected: `${first.notBefore} or later`, found, hint: "date; timedatectl set-time …" }),
    ];
  }
  if (certificates.length === 0) return [];
  const days = ({ notAfter }: CertificateEntry): number => Math.floor((Date.parse(notAfter) - now) / day);
  const findings = certificates.flatMap((certificate): Finding[] => {
    const left = days(certificate);
    if (left > warnBeforeDays) return [];
    const message = left < 0 ? `${certificate.path} has expired` : `${certificate.path} will expire soon`;
    const hint = "on the online side: build again with newer certificates; or a wrong clock: date";
    const severity = left < 0 ? "error" : "warning";
    return [
      { check: "certificate-life", severity, message, expected: `${warnBeforeDays} days`, found: `${left} days`, hint },
    ];
  });
  const shortest = Math.min(...certificates.map(days));
  return [
    ok("clock", "within the certificates' validity"),
    ...(findings.length > 0 ? findings : [ok("certificate-life", `${shortest} days`)]),
  ];
}

/** Certificates that name addresses of this node name the one that it is installed with. */
export function certificateAddress(input: PreflightInput): Finding[] {
  const { ip, profile } = input.selection;
  if (profile.ip === null) return [];
  const wrong = certificatesOf(input).filter(({ sans }) => {
    const addresses = sans.filter(
      (san) => addressNumber(san) >= 0n && familyOf(san) === familyOf(ip) && !/^127\.|^::1$/.test(san),
    );
    return addresses.length > 0 && !addresses.includes(ip);
  });
  if (wrong.length === 0) return [ok("certificate-address", `certificates are for ${ip}`)];
  return wrong.map(({ path, sans }) =>
    error("certificate-address", `${path} is not for this address`, {
      expected: ip,
      found: sans.join(", "),
      hint: "correct the node's ip in cluster.yaml and build again",
    }),
  );
}

/** Packages are made for one release of one distribution. */
export function packagesFit({ bundle, selection, facts }: PreflightInput): Finding[] {
  const required = new Set(chosen(bundle.index.packages, selection).map(({ distribution }) => distribution));
  if (required.size === 0) return [];
  const found = `${facts.distribution.id} ${facts.distribution.version}`;
  const fits = [...required].some(
    (one) => one.replaceAll(/[-:]/g, " ").trim() === found || found.startsWith(`${one.replaceAll(/[-:]/g, " ")}.`),
  );
  if (fits) return [ok("distribution", found)];
  const message = "the bundle's packages are for another distribution";
  const hint = "name this one under packages: in cluster.yaml and build again";
  return [error("distribution", message, { expected: [...required].join(", "), found, hint })];
}

/** What names may look like: those of Kubernetes, DNS, the kernel and packages, as schemas that say what they want. */
import * as z from "zod";

const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const qualified = "[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?";
const subdomain = `${label}(\\.${label})*`;

/** RFC 1123 label: `plant-7`. */
export const dnsLabel = z.string().regex(new RegExp(`^${label}$`), "wants a lower-case RFC 1123 name");

/**
 * A node's name: `n1`, `n1.plant-7.example`. 63 characters at most, since the kubelet makes it the value of the label
 * kubernetes.io/hostname.
 */
export const nodeName = z
  .string()
  .max(63, "wants 63 characters at most, as the label kubernetes.io/hostname does")
  .regex(new RegExp(`^${subdomain}$`), "wants a lower-case RFC 1123 name, such as n1 or n1.example.org")
  .refine((name) => !/^localhost(\.|$)/.test(name), "must not be localhost: every host is that to itself");

export const dnsDomain = z
  .string()
  .max(253, "wants 253 characters at most")
  .regex(new RegExp(`^${subdomain}$`), "wants a lower-case DNS domain with no dot at its end");

/** A name or an address in a certificate: `api.example.org`, `*.example.org`, `10.0.0.10`, `fd00::1`. */
export const subjectAltName = z.union(
  [
    z.ipv4(),
    z.ipv6(),
    z
      .string()
      .max(253)
      .regex(new RegExp(`^(\\*\\.)?${subdomain}$`, "i")),
  ],
  { error: "wants a DNS name or an IP address" },
);

export const labelKey = z
  .string()
  .regex(
    new RegExp(`^(${subdomain}/)?${qualified}$`),
    "wants a label's key: [PREFIX/]NAME of letters, digits, - _ and .",
  );
export const labelValue = z
  .string()
  .regex(new RegExp(`^(${qualified})?$`), "wants a label's value: at most 63 letters, digits, - _ and .");

/** `KEY=VALUE:EFFECT` or `KEY:EFFECT`. */
export const taint = z
  .string()
  .regex(
    new RegExp(`^(${subdomain}/)?${qualified}(=(${qualified})?)?:(NoSchedule|PreferNoSchedule|NoExecute)$`),
    "wants KEY=VALUE:EFFECT, with NoSchedule, PreferNoSchedule or NoExecute",
  );

export const ipAddress = z.union([z.ipv4(), z.ipv6()], { error: "wants an IPv4 or IPv6 address" });
export const ipNetwork = z.union([z.cidrv4(), z.cidrv6()], {
  error: "wants an IPv4 or IPv6 network such as 10.0.0.0/16",
});

/**
 * A value of either family, or one of each, as a list or joined by a comma: in `{ }` of YAML a comma begins the next key. Of two IPv4 is first, since the API's own service and
 * the nodes' first addresses are of one family. Its value is the joined text, as the daemons' flags have it.
 */
const ofFamilies = (v4: RegExp, v6: RegExp, what: string, example: string) => {
  const [ipv4 = "", ipv6 = ""] = [v4, v6].map(({ source }) => source.replace(/^\^/, "").replace(/\$$/, ""));
  const joined = z.string().regex(new RegExp(`^(?:(?:${ipv4})(?:,(?:${ipv6}))?|(?:${ipv6}))$`), {
    error: `wants ${what}, or in dual stack one of each with IPv4 first: ${example}`,
  });
  return z
    .union([z.string(), z.array(z.string())], { error: `wants ${what}, or a list: ${example}` })
    .transform((given) => (typeof given === "string" ? given : given.join(",")))
    .pipe(joined);
};

/** `10.0.0.11`, `fd00::11`, or `[10.0.0.11, fd00::11]`; the kubelet's `--node-ip` has it joined. */
export const addresses = ofFamilies(z.regexes.ipv4, z.regexes.ipv6, "an IPv4 or IPv6 address", "[10.0.0.11, fd00::11]");
/** `172.30.0.0/16`, `fd00:172:30::/56`, or `[172.30.0.0/16, fd00:172:30::/56]`; `--cluster-cidr` and kubeadm's `podSubnet` have it joined. */
export const ranges = ofFamilies(
  z.regexes.cidrv4,
  z.regexes.cidrv6,
  "an IPv4 or IPv6 network such as 172.30.0.0/16",
  "[172.30.0.0/16, fd00:172:30::/56]",
);

/** As the kernel takes it: at most 15 bytes. */
export const interfaceName = z
  .string()
  .regex(/^(?!\.{1,2}$)[^\s/:]{1,15}$/, "wants the name of one network interface, such as eth0");

/** `vm.max_map_count`; a slash stands for a dot inside of a name: `net.ipv4.conf.eth0/100.rp_filter`. */
export const sysctlKey = z.string().regex(/^\w+([./][\w*:@-]+)+$/, "wants a kernel setting, such as vm.max_map_count");
export const sysctlValue = z
  .union([z.string().regex(/^\S([^\n]*\S)?$/), z.number()], { error: "wants a number or one line of text" })
  .transform(String);

export const moduleName = z.string().regex(/^[A-Za-z0-9_-]+$/, "wants the name of a kernel module");
export const unitName = z.string().regex(/^[A-Za-z0-9:_.@\\-]+$/, "wants the name of a systemd unit");
export const packageName = z.string().regex(/^[A-Za-z0-9_][\w.+():~-]*$/, "wants the name of a package");
/** A program by its path, or a library by its soname. */
export const providedName = z.string().regex(/^(\/\S+|[^\s/]+)$/, "wants an absolute path, or a library's soname");
export const repositoryUrl = z
  .string()
  .regex(/^((https?:\/\/[^\s/]+|file:\/\/)\/\S*|https?:\/\/[^\s/]+)$/, "wants a URL: https://… or file:///…");

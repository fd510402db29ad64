/** The images of the tests' pods as OCI layouts: the sandbox, and a web server of one static program. */
import { join } from "node:path";
import { writeLayout } from "../../test/builders/image-layout.ts";

/** Below `images/`, each under its full name, with its tag. */
export const imageTags = { pause: "3.2", smoke: "1" } as const;

/** Writes them below `folder`; the same bytes from the same programs. */
export function writeImages(folder: string, programs: Readonly<Record<"pause" | "busybox", Buffer>>): void {
  const platform = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
  const layout = (name: keyof typeof imageTags): string => join(folder, "localhost", name);
  writeLayout(layout("pause"), imageTags.pause, [
    { platform, layers: [{ pause: programs.pause }], entrypoint: ["/pause"] },
  ]);
  writeLayout(layout("smoke"), imageTags.smoke, [
    {
      platform,
      layers: [{ busybox: programs.busybox }, { "www/health": "OK\n" }],
      entrypoint: ["/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"],
    },
  ]);
}

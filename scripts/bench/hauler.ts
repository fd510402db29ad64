/**
 * The peer that does most of the same: hauler (hauler-dev/hauler, built with Go from its repository), where somebody has put it
 * on PATH. It stores, packs, unpacks and checks the same programs; it installs nothing.
 */
import { spawnSync } from "node:child_process";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Comparison, timed } from "./compare.ts";
import { installing, packing } from "./comparisons.ts";
import { type Material, shell } from "./material.ts";
import { folder, fresh } from "./runs.ts";

export function hasHauler(): boolean {
  return spawnSync("hauler", ["version"], { stdio: "ignore" }).status === 0;
}

export async function hauling(given: Material): Promise<Comparison[]> {
  const haul = join(folder, "hauler");
  fresh(haul);
  const manifest = join(haul, "manifest.yaml");
  const files = given.programs.map((path) => ({ path: join(given.dir, "programs", path) }));
  const kind = { apiVersion: "content.hauler.cattle.io/v1", kind: "Files", metadata: { name: "programs" } };
  writeFileSync(manifest, JSON.stringify({ ...kind, spec: { files } }));
  const quiet = "-l error -d ../hauler-home";
  const archive = join(haul, "haul.tar.zst");
  const save = `hauler store sync --no-progress -f ${manifest} -s ./store ${quiet} && hauler store save -f ${archive} -s ./store ${quiet}; sync -f ${archive}`;
  const names = given.programs.map((path) => basename(path).toLowerCase()).join(" ");
  const extract = `for n in ${names}; do hauler store extract hauler/$n:latest -o ./files -s ./store ${quiet}; done`;
  const load = `hauler store load -f ${archive} -s ./store ${quiet} && ${extract}; sync -f .`;
  const there = join(folder, "there");
  const prepare = (): void => fresh(there);
  const [pack] = packing(given);
  const [install] = await installing(given);
  if (pack === undefined || install === undefined) throw new Error("there is nothing to compare with hauler");
  const clean = (): void => {
    rmSync(archive, { force: true });
    prepare();
  };
  const saving = { name: "hauler store sync; save", prepare: clean, run: () => timed(() => shell(save, there)) };
  saving.prepare();
  saving.run();
  const size = `${(statSync(archive).size / 1e6).toFixed(0)} MB`;
  return [
    { name: "hauler-pack", goal: 0.6, ours: pack.ours, theirs: [{ ...saving, name: `${saving.name}, ${size}` }] },
    {
      name: "hauler-install",
      goal: 0.5,
      ours: install.ours,
      theirs: [{ name: "hauler store load; extract each", prepare, run: () => timed(() => shell(load, there)) }],
    },
  ];
}

/** How often a law is tried: quickly on a developer's machine, and KUBEFERRY_RUNS times as often where that is set, as .ci/run does. */
const times = Number(process.env["KUBEFERRY_RUNS"] ?? 1);
if (!(times > 0)) throw new Error("KUBEFERRY_RUNS says how many times as often as usual laws are tried, as 10");

/** The runs of a law that is tried `usual` times by default. */
export function runs(usual: number): number {
  return Math.ceil(usual * times);
}

const seed = process.env["KUBEFERRY_SEED"];
/** fast-check's own parameter: KUBEFERRY_SEED, where that is set, so that parts of a long run draw different things. */
export const seeded: { readonly seed?: number } = seed === undefined ? {} : { seed: Number(seed) };

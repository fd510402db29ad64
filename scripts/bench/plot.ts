/** A plot with two logarithmic axes, as SVG. */

const [width, height, left, bottom] = [640, 400, 60, 50];
const colours = ["#0b5fa5", "#b3440a", "#2a7d2e", "#7a3fa0", "#555555"];

/** One line for each of `lines`: its values at `xs`. All values are larger than 0. */
export function logPlot(
  title: string,
  xName: string,
  yName: string,
  xs: readonly number[],
  lines: Readonly<Record<string, readonly number[]>>,
): string {
  const decades = (values: readonly number[]): number[] => {
    const from = Math.floor(Math.log10(Math.min(...values)));
    const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))));
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  };
  const across = decades(xs);
  const up = decades(Object.values(lines).flat());
  const part = (value: number, ticks: readonly number[]): number =>
    (Math.log10(value) - (ticks[0] ?? 0)) / ((ticks.at(-1) ?? 1) - (ticks[0] ?? 0));
  const x = (value: number): string => (left + part(value, across) * (width - left - 90)).toFixed(1);
  const y = (value: number): string => (height - bottom - part(value, up) * (height - bottom - 40)).toFixed(1);
  const text = (atX: string | number, atY: string | number, said: string, anchor = "middle"): string =>
    `<text x="${atX}" y="${atY}" text-anchor="${anchor}">${said}</text>`;
  const grid = [
    ...across.map((power) => [10 ** power, `M${x(10 ** power)} 40V${height - bottom}`] as const),
    ...up.map((power) => [10 ** power, `M${left} ${y(10 ** power)}H${width - 90}`] as const),
  ].map(([, path]) => `<path d="${path}" stroke="#ddd"/>`);
  const labels = [
    ...across.map((power) => text(x(10 ** power), height - bottom + 18, `${10 ** power}`)),
    ...up.map((power) => text(left - 8, y(10 ** power), `${10 ** power}`, "end")),
    text(width / 2, 22, title),
    text((width - 30) / 2, height - 10, xName),
    text(left - 8, 32, yName, "end"),
  ];
  const drawn = Object.entries(lines).map(([name, values], at) => {
    const colour = colours[at % colours.length];
    const points = values.map((value, index) => `${x(xs[index] ?? 1)},${y(value)}`);
    const [endX = "0", endY = "0"] = (points.at(-1) ?? "").split(",");
    return `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>
<text x="${Number(endX) + 6}" y="${endY}" fill="${colour}">${name}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${[...grid, ...labels, ...drawn].join("\n")}
</svg>
`;
}

/** What the handbook has, in the order in which it is read: pages of docs/, and of docs/zh/ where they are translated. */

export type Language = "en" | "zh";

export interface Chapter {
  readonly title: Readonly<Record<Language, string>>;
  /** Names of files in docs/, without `.md`. */
  readonly pages: readonly string[];
}

export const chapters: readonly Chapter[] = [
  {
    title: { en: "Installation", zh: "安装" },
    pages: ["index", "first-cluster", "ha", "ipv6", "carry", "push", "ansible"],
  },
  {
    title: { en: "Day 2", zh: "日常运维" },
    pages: [
      "upgrade",
      "patch",
      "day-2-renewal",
      "day-2-rotation",
      "day-2-etcd",
      "day-2-members",
      "day-2-credentials",
      "day-2-lost-keys",
      "troubleshooting",
    ],
  },
  {
    title: { en: "Make it your own", zh: "按需定制" },
    pages: ["own", "registry", "certificates", "cis"],
  },
  {
    title: { en: "Reference", zh: "参考" },
    pages: ["cli", "cluster.yaml", "release.yaml", "errors", "json"],
  },
  {
    title: { en: "Before you decide", zh: "选型参考" },
    pages: ["supported", "comparison", "threat-model", "performance", "coverage"],
  },
];

/** Pages without a Chinese text, and why; the Chinese contents lead to the English page. */
export const englishOnly: Readonly<Record<string, string>> = {
  "cluster.yaml": "generated: from the schema",
  "release.yaml": "generated: from the schema",
  json: "generated: from the schema",
  cis: "a table of the benchmark's own English controls, compared with kube-bench by a test",
  coverage: "for developers: what became of each step of the original guides, compared with golden trees by a test",
  performance: "for developers: measurements",
};

/** Pages that are made of the sources, in each language that they have. */
export const generated: readonly string[] = ["cli", "cluster.yaml", "release.yaml", "errors", "json"];

export const languages: readonly Language[] = ["en", "zh"];

/** Where a page is in a language, below docs/, without its extension: `zh/push`. */
export function placeOf(page: string, language: Language): string {
  return language === "zh" && englishOnly[page] === undefined ? `zh/${page}` : page;
}

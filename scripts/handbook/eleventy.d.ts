/** The part of Eleventy that the handbook uses; the package has no types of its own. */
declare module "@11ty/eleventy" {
  import type markdownIt from "markdown-it";

  interface Config {
    addGlobalData(name: string, value: unknown): void;
    addPassthroughCopy(paths: Readonly<Record<string, string>>): void;
    addTemplate(path: string, text: string, data?: Readonly<Record<string, unknown>>): void;
    ignores: Set<string>;
    setLayoutsDirectory(folder: string): void;
    setLibrary(format: string, library: markdownIt): void;
    setTemplateFormats(formats: readonly string[]): void;
    setUseGitIgnore(use: boolean): void;
  }

  export class Eleventy {
    constructor(
      input: string,
      output: string,
      options: {
        readonly configPath: null;
        readonly quietMode: boolean;
        readonly config: (config: Config) => Readonly<Record<string, unknown>>;
      },
    );
    write(): Promise<unknown>;
  }
}

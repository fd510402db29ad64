/** The contract between builder and installer: both import this folder as `#bundle`, never each other. */
export * from "./digest.ts";
export * from "./format.ts";

/** The part of postject that is used; the package has no types of its own. */
declare module "postject" {
  export function inject(
    executable: string,
    name: string,
    content: Buffer,
    options: { readonly sentinelFuse: string; readonly overwrite?: boolean },
  ): Promise<void>;
}

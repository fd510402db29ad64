/** Prefix lengths of each node's range of pods, by family. */
export const nodeMask = { ipv4: 24, ipv6: 64 } as const;

/** Kernel values without which a kubelet with `protectKernelDefaults` does not start (pkg/kubelet/cm of Kubernetes, the same in every version). */
export const kernelDefaults: ReadonlyMap<string, string> = new Map([
  ["vm.overcommit_memory", "1"],
  ["vm.panic_on_oom", "0"],
  ["kernel.panic", "10"],
  ["kernel.panic_on_oops", "1"],
  ["kernel.keys.root_maxkeys", "1000000"],
  ["kernel.keys.root_maxbytes", "25000000"],
]);

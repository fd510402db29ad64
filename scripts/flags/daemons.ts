/** Where Kubernetes' daemons register their flags: packages and files of upstream, and of those the types that a daemon uses. */

export interface Place {
  /** A folder or a file below `k8s.io/`. */
  readonly path: string;
  /** Types, methods or functions that register flags of this daemon; absent: all that are in it. */
  readonly only?: readonly string[];
  /** Where this is not in a checkout, the daemon cannot be read from it. */
  readonly main?: true;
  /** The first minor that takes what this registers, and the first that no longer does. */
  readonly since?: string;
  readonly until?: string;
  /** Of what it registers the flags that are taken; absent: all. */
  readonly flags?: readonly string[];
  /** What stands for `%s` in the names that it formats. */
  readonly formatted?: readonly string[];
}

const own = (path: string): Place => ({ path: `k8s.io/kubernetes/${path}`, main: true });
const klog: readonly Place[] = [
  // From 1.26 on only v and vmodule are left of klog's own, and logs/api/v1 registers those.
  { path: "k8s.io/klog/v2/klog.go", only: ["InitFlags"], until: "1.26" },
  { path: "k8s.io/klog/klog.go", only: ["InitFlags"], until: "1.26" },
  { path: "github.com/golang/glog/glog.go", only: ["init"], until: "1.13" },
  { path: "github.com/golang/glog/glog_file.go", until: "1.13" },
  { path: "k8s.io/component-base/logs/logs.go" },
  { path: "k8s.io/apiserver/pkg/util/logs/logs.go" },
  { path: "k8s.io/component-base/version/verflag" },
];
const logs: readonly Place[] = [
  ...klog,
  { path: "k8s.io/component-base/logs/api/v1/options.go" },
  { path: "k8s.io/component-base/logs/options.go" },
  { path: "k8s.io/component-base/logs/config.go" },
];
const metrics: Place = { path: "k8s.io/component-base/metrics/options.go" };
const gates: readonly Place[] = [
  { path: "k8s.io/component-base/featuregate/feature_gate.go" },
  { path: "k8s.io/apiserver/pkg/util/feature/feature_gate.go" },
];
/** Versions that a program says it is of, for all components in it. */
const compatibility: readonly Place[] = [
  { path: "k8s.io/apiserver/pkg/util/version/registry.go" },
  { path: "k8s.io/component-base/featuregate/registry.go" },
  { path: "k8s.io/component-base/compatibility/registry.go" },
];
const election: readonly Place[] = [
  { path: "k8s.io/component-base/config/options/leaderelectionconfig.go" },
  { path: "k8s.io/kubernetes/pkg/client/leaderelectionconfig/config.go" },
  { path: "k8s.io/kubernetes/pkg/client/leaderelection/leaderelection.go" },
];
const generic = (file: string, ...only: string[]): Place => ({
  path: `k8s.io/apiserver/pkg/server/options/${file}.go`,
  ...(only.length > 0 && { only }),
});
// Still there for others when the daemons had taken it out.
const insecure = (...only: string[]): Place => ({ ...generic("deprecated_insecure_serving", ...only), until: "1.24" });
const serving: readonly Place[] = [generic("serving"), generic("serving_with_loopback")];
/**
 * Of the daemons of which one leads. They serve by TLS and ask the API server who somebody is from those minors on; the
 * calls that would register it are older, of what is nil there.
 */
const leading = (serves: string, asks: string): readonly Place[] => [
  ...election,
  insecure("DeprecatedInsecureServingOptions.AddUnqualifiedFlags"),
  ...serving.map((place) => ({ ...place, since: serves })),
  { ...generic("authentication"), since: asks },
  { ...generic("authorization"), since: asks },
  ...logs,
  metrics,
  ...gates,
  ...compatibility,
];

export const daemons: Readonly<Record<string, readonly Place[]>> = {
  "kube-apiserver": [
    own("cmd/kube-apiserver/app/options"),
    { path: "k8s.io/kubernetes/pkg/controlplane/apiserver/options" },
    own("pkg/kubeapiserver/options"),
    ...["admission", "api_enablement", "egress_selector", "etcd", "feature", "server_run_options", "tracing"].map(
      (file) => generic(file),
    ),
    insecure(),
    { ...generic("audit"), formatted: ["log", "webhook"] },
    { path: "k8s.io/kubernetes/plugin/pkg/admission/defaulttolerationseconds/admission.go" },
    generic("authentication", "RequestHeaderAuthenticationOptions", "ClientCertAuthenticationOptions"),
    ...serving,
    ...logs,
    metrics,
    ...gates,
    ...compatibility,
  ],
  "kube-controller-manager": [
    own("cmd/kube-controller-manager/app/options"),
    { path: "k8s.io/kubernetes/cmd/kube-controller-manager/app/flags_providers.go" },
    { path: "k8s.io/controller-manager/options" },
    { path: "k8s.io/controller-manager/pkg/leadermigration/options" },
    { path: "k8s.io/kubernetes/cmd/controller-manager/app/options" },
    // The others are the cloud controller manager's.
    ...["cloudprovider", "kubecloudshared", "servicecontroller"].map((file) => ({
      path: `k8s.io/cloud-provider/options/${file}.go`,
    })),
    ...leading("1.10", "1.12"),
  ],
  "kube-scheduler": [
    own("cmd/kube-scheduler/app"),
    { path: "k8s.io/kubernetes/cmd/kube-scheduler/app/options" },
    ...leading("1.13", "1.13"),
  ],
  kubelet: [
    own("cmd/kubelet/app/options"),
    { path: "k8s.io/kubernetes/pkg/kubelet/config/flags.go" },
    ...logs,
    ...gates,
  ],
  "kube-proxy": [
    own("cmd/kube-proxy/app"),
    { path: "k8s.io/kubernetes/cmd/kube-proxy/app/options" },
    ...klog,
    // Without logging's own fields until 1.28, which cli/run.go does not register.
    { path: "k8s.io/klog/v2/klog.go", only: ["init"], since: "1.26", until: "1.28", flags: ["v", "vmodule"] },
    { path: "k8s.io/component-base/logs/api/v1/options.go", since: "1.28" },
    ...gates,
  ],
};

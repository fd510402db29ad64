/** The kinds that the stand-in of the API server serves. */

export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const row = (group: string, version: string, kind: string, plural: string, namespaced = true): Resource => ({
  group,
  version,
  kind,
  plural,
  namespaced,
});

const rbac = "rbac.authorization.k8s.io";

export const resources: readonly Resource[] = [
  row("", "v1", "Namespace", "namespaces", false),
  row("", "v1", "Node", "nodes", false),
  row("", "v1", "ConfigMap", "configmaps"),
  row("", "v1", "Secret", "secrets"),
  row("", "v1", "Service", "services"),
  row("", "v1", "ServiceAccount", "serviceaccounts"),
  row("", "v1", "Pod", "pods"),
  row("", "v1", "Endpoints", "endpoints"),
  row("coordination.k8s.io", "v1", "Lease", "leases"),
  row("metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", false),
  row("apps", "v1", "Deployment", "deployments"),
  row("apps", "v1", "DaemonSet", "daemonsets"),
  row("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  row(rbac, "v1", "Role", "roles"),
  row(rbac, "v1", "RoleBinding", "rolebindings"),
  row(rbac, "v1", "ClusterRole", "clusterroles", false),
  row(rbac, "v1", "ClusterRoleBinding", "clusterrolebindings", false),
  row("apiregistration.k8s.io", "v1", "APIService", "apiservices", false),
  row("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", false),
];

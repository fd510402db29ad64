/** Release manifests and fetched files for tests of rendering: real names, no bytes. */
import { digestOf, type Platform, type Role } from "#bundle";
import type { GenerationName } from "../../builder/config/generations.ts";
import type { ReleaseManifest } from "../../builder/config/release.ts";
import type { FetchedFile } from "../../builder/fetch/fetched.ts";

type Components = Readonly<Record<string, { roles: readonly Role[]; names: readonly string[] }>>;

const cni = ["bridge", "flannel", "host-local", "loopback", "portmap"];
const etcd = { roles: ["etcd", "master"], names: ["etcd", "etcdctl"] } as const;
const kubectl = { roles: ["master"], names: ["kubectl"] } as const;
const masters = { roles: ["master"], names: ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] } as const;
const workers = { roles: ["worker"], names: ["kubelet", "kube-proxy"] } as const;
const flannel = { roles: ["worker"], names: ["flanneld", "mk-docker-opts.sh"] } as const;
const oldDocker = ["docker", "dockerd", "docker-proxy", "docker-init", "docker-containerd", "docker-runc"];
const containerd = { roles: ["worker"], names: ["containerd", "containerd-shim-runc-v2", "ctr"] } as const;
const runc = { roles: ["worker"], names: ["runc"] } as const;
const crictl = { roles: ["worker"], names: ["crictl"] } as const;
const nginx = { roles: ["master", "worker"], names: ["nginx"] } as const;
const kubernetes = { kubectl, "kubernetes-master": masters, "kubernetes-node": workers };

const releases: Readonly<Record<GenerationName, Components>> = {
  distro: { etcd, kubectl, containerd, runc, "cni-plugins": { roles: ["worker"], names: cni } },
  "1.6": { etcd, ...kubernetes, flannel, docker: { roles: ["worker"], names: oldDocker } },
  "1.11": { etcd, ...kubernetes, flannel, docker: { roles: ["worker"], names: oldDocker } },
  "1.16": { etcd, ...kubernetes, nginx, containerd, runc, crictl, "cni-plugins": { roles: ["worker"], names: cni } },
  "1.36": { etcd, ...kubernetes, nginx, containerd, runc, crictl, "cni-plugins": { roles: ["worker"], names: cni } },
};

const versions: Readonly<Record<GenerationName, string | null>> = {
  distro: null,
  "1.6": "1.6.2",
  "1.11": "1.11.2",
  "1.16": "1.16.6",
  "1.36": "1.36.3",
};

/** A manifest of a generation with the components that it has; `more` adds components by name. */
export function fixtureManifest(generation: GenerationName, more: Components = {}): ReleaseManifest {
  const platform = "linux/amd64" as const;
  return {
    release: generation === "distro" ? "distro" : `kubernetes-${generation}`,
    description: "for tests",
    generation,
    kubernetes: versions[generation],
    components: Object.entries({ ...releases[generation], ...more }).map(([name, { roles, names }]) => ({
      name,
      roles: [...roles],
      artifacts: [{ platform, from: "file:/none", mirrors: [], files: Object.fromEntries(names.map((n) => [n, n])) }],
      alternatives: {},
    })),
    images: generation === "distro" ? [] : [{ name: "registry.k8s.io/pause:3.10.2", for: "pause", roles: ["worker"] }],
  };
}

/** What fetching a manifest of {@link fixtureManifest} would give; the digest is that of the file's name. */
export function fixtureFetched(manifest: ReleaseManifest, platform: Platform = "linux/amd64"): FetchedFile[] {
  return manifest.components.flatMap((component) =>
    component.artifacts.flatMap((artifact) =>
      Object.values(artifact.files).map((name) => ({
        name,
        component: component.name,
        platform,
        digest: digestOf(name),
        size: name.length,
        origin: { from: "artifact" as const, url: artifact.from, digest: "sha256:none", pinnedBy: "release" as const },
      })),
    ),
  );
}

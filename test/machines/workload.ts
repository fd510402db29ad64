/**
 * What a user's pods leave on a node: a Deployment with a Secret and a ConfigMap (mounts of tmpfs), two emptyDirs, a
 * hostPath, and a Service on a node port. Each pod answers with the name of its node, and with what it was given.
 */
import { imageTags } from "../../scripts/kubernetes/images.ts";

/** On a master: what the tests themselves write there. */
export const workloadFolder = "/run/workload";
export const workloadName = "web";
export const nodePort = 30080;
/** What the Secret holds: nobody may find it on a host that was undone. */
export const secretWord = "the-secret-of-the-pods-9f3c";

/** For `kubectl apply -f -`: so many pods, each on a node of its own. */
export function workload(replicas: number): string {
  return `apiVersion: v1
kind: Secret
metadata: { name: ${workloadName} }
stringData: { word: ${secretWord} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: ${workloadName} }
data: { greeting: "hello from the ConfigMap" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${workloadName} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${workloadName} } }
  template:
    metadata: { labels: { app: ${workloadName} } }
    spec:
      terminationGracePeriodSeconds: 5
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: kubernetes.io/hostname
              labelSelector: { matchLabels: { app: ${workloadName} } }
      containers:
        - name: web
          image: localhost/smoke:${imageTags.smoke}
          command: [/busybox, httpd, -f, -p, "8080", -h, /site]
          ports: [{ containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /config/greeting, port: 8080 } }
          volumeMounts:
            - { name: secret, mountPath: /site/secret, readOnly: true }
            - { name: config, mountPath: /site/config, readOnly: true }
            - { name: host, mountPath: /site/node, readOnly: true }
            - { name: scratch, mountPath: /site/scratch }
            - { name: memory, mountPath: /site/memory }
      volumes:
        - { name: secret, secret: { secretName: ${workloadName} } }
        - { name: config, configMap: { name: ${workloadName} } }
        - { name: host, hostPath: { path: /etc/hostname, type: File } }
        - { name: scratch, emptyDir: {} }
        - { name: memory, emptyDir: { medium: Memory } }
---
apiVersion: v1
kind: Service
metadata: { name: ${workloadName} }
spec:
  type: NodePort
  selector: { app: ${workloadName} }
  ports: [{ port: 80, targetPort: 8080, nodePort: ${nodePort} }]
`;
}

package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	kubeyaml "sigs.k8s.io/yaml"
)

// TestKubernetes decodes the manifest as the API server does with strict field validation.
func TestKubernetes(t *testing.T) {
	data, err := os.ReadFile("../kubernetes/wsprobe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents := bytes.Split(data, []byte("\n---\n"))
	if len(documents) != 2 {
		t.Fatalf("%d documents, want a ConfigMap and a Deployment", len(documents))
	}
	var config corev1.ConfigMap
	var deployment appsv1.Deployment
	for i, object := range []any{&config, &deployment} {
		if err := kubeyaml.UnmarshalStrict(append(documents[i], '\n'), object); err != nil {
			t.Fatalf("document %d: %v", i, err)
		}
	}
	t.Run("rollout", func(t *testing.T) { checkRollout(t, config, deployment) })
	t.Run("pod security", func(t *testing.T) { checkPodSecurity(t, deployment.Spec.Template.Spec) })
	t.Run("configuration", func(t *testing.T) { checkConfigMap(t, config, deployment.Spec.Template.Spec) })
}

// checkRollout compares how a change comes into force.
func checkRollout(t *testing.T, config corev1.ConfigMap, d appsv1.Deployment) {
	if d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType || *d.Spec.Replicas != 1 {
		t.Errorf("%d replicas with strategy %s: two agents would probe twice", *d.Spec.Replicas, d.Spec.Strategy.Type)
	}
	for k, v := range d.Spec.Selector.MatchLabels {
		if d.Spec.Template.Labels[k] != v {
			t.Errorf("the selector's %s=%s is not among the pod's labels", k, v)
		}
	}
	sum := sha256.Sum256([]byte(config.Data["wsprobe.yaml"]))
	if got, want := d.Spec.Template.Annotations["checksum/config"], hex.EncodeToString(sum[:]); got != want {
		t.Errorf("checksum/config: got %s, the sha256 of the ConfigMap's wsprobe.yaml is %s", got, want)
	}
}

// checkPodSecurity compares the pod with the restricted profile of the Pod Security Standards, and with
// what goes beyond it.
func checkPodSecurity(t *testing.T, pod corev1.PodSpec) {
	if token := pod.AutomountServiceAccountToken; token == nil || *token {
		t.Error("a service account token is mounted")
	}
	if links := pod.EnableServiceLinks; links == nil || *links {
		t.Error("enableServiceLinks: Services of the namespace would set variables, WSPROBE_ ones among them")
	}
	if pod.HostNetwork || pod.HostPID || pod.HostIPC {
		t.Error("the pod shares namespaces with its node")
	}
	ctx := pod.SecurityContext
	if !*ctx.RunAsNonRoot || *ctx.RunAsUser != 65532 || ctx.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("pod security context: %v", ctx)
	}
	for _, c := range pod.Containers {
		ctx := c.SecurityContext
		if *ctx.AllowPrivilegeEscalation || !*ctx.ReadOnlyRootFilesystem || ctx.Privileged != nil {
			t.Errorf("container security context: %v", ctx)
		}
		if !slices.Equal(ctx.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(ctx.Capabilities.Add) > 0 {
			t.Errorf("capabilities: %v", ctx.Capabilities)
		}
		if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
			t.Errorf("resources: %v", c.Resources)
		}
	}
}

// checkConfigMap checks the configuration in the manifest with the agent's own loader, and that the probes
// of the kubelet meet the listener that it configures.
func checkConfigMap(t *testing.T, config corev1.ConfigMap, pod corev1.PodSpec) {
	path := filepath.Join(t.TempDir(), "wsprobe.yaml")
	if err := os.WriteFile(path, []byte(config.Data["wsprobe.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, path)
	var s settings
	if err := yaml.Unmarshal([]byte(config.Data["wsprobe.yaml"]), &s); err != nil {
		t.Fatal(err)
	}
	c := pod.Containers[0]
	checkReachable(t, s.Agent["listen"].(string), uint32(c.Ports[0].ContainerPort))
	if args, cmd := strings.Join(c.Args, " "), "run -c "+c.VolumeMounts[0].MountPath+"/wsprobe.yaml"; args != cmd {
		t.Errorf("args %q, want %q", args, cmd)
	}
	if name := pod.Volumes[0].ConfigMap.Name; name != config.Name {
		t.Errorf("the pod mounts the ConfigMap %q, the manifest has %q", name, config.Name)
	}
	for path, probe := range map[string]*corev1.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
		if get := probe.HTTPGet; get.Path != path || get.Port.String() != c.Ports[0].Name {
			t.Errorf("probe %v, want a GET of %s on port %s", get, path, c.Ports[0].Name)
		}
	}
}

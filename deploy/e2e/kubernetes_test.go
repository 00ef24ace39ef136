package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	kubeyaml "sigs.k8s.io/yaml"
)

// decodeManifest decodes the documents of a manifest as the API server does with strict field validation.
func decodeManifest(t *testing.T, path string, objects ...any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	documents := bytes.Split(data, []byte("\n---\n"))
	if len(documents) != len(objects) {
		t.Fatalf("%d documents, want %d", len(documents), len(objects))
	}
	for i, object := range objects {
		if err := kubeyaml.UnmarshalStrict(append(documents[i], '\n'), object); err != nil {
			t.Fatalf("document %d: %v", i, err)
		}
	}
}

func TestKubernetes(t *testing.T) {
	var config corev1.ConfigMap
	var deployment appsv1.Deployment
	decodeManifest(t, "../kubernetes/wsprobe.yaml", &config, &deployment)
	if d := deployment.Spec; d.Strategy.Type != appsv1.RecreateDeploymentStrategyType || *d.Replicas != 1 {
		t.Errorf("%d replicas with strategy %s: two agents would probe twice", *d.Replicas, d.Strategy.Type)
	}
	checkAgentID(t, deployment)
	checkPod(t, config, deployment.Spec.Selector.MatchLabels, deployment.Spec.Template)
}

// checkAgentID wants the agent to have an identity that outlives its pod, whose name is new at each rollout, and sets it for
// the loader as the kubelet would.
func checkAgentID(t *testing.T, deployment appsv1.Deployment) {
	t.Helper()
	seen := false
	for _, e := range deployment.Spec.Template.Spec.Containers[0].Env {
		seen = seen || e.Name == "NAMESPACE" // a variable can only name one that stands above it
		if e.Name != "WSPROBE_AGENT_ID" {
			continue
		}
		if want := "$(NAMESPACE)/" + deployment.Name; e.Value != want || !seen {
			t.Errorf("WSPROBE_AGENT_ID: got %q, want %q below NAMESPACE", e.Value, want)
		}
		t.Setenv(e.Name, strings.ReplaceAll(e.Value, "$(NAMESPACE)", "monitoring"))
		return
	}
	t.Error("no WSPROBE_AGENT_ID: the id would have the pod's name in it")
}

// TestKubernetesShards looks at the set of agents that share a file: each pod must know which it is and of how many.
func TestKubernetesShards(t *testing.T) {
	var config corev1.ConfigMap
	var service corev1.Service
	var set appsv1.StatefulSet
	decodeManifest(t, "../kubernetes/shards.yaml", &config, &service, &set)
	if set.Spec.ServiceName != service.Name || service.Spec.ClusterIP != corev1.ClusterIPNone {
		t.Errorf("the set is served by %q, the manifest has %q at %q", set.Spec.ServiceName, service.Name, service.Spec.ClusterIP)
	}
	env := make(map[string]corev1.EnvVar)
	for _, e := range set.Spec.Template.Spec.Containers[0].Env {
		env[e.Name] = e
	}
	if from := env["WSPROBE_AGENT_SHARD_INDEX"].ValueFrom; from == nil || from.FieldRef.FieldPath != "metadata.labels['"+appsv1.PodIndexLabel+"']" {
		t.Errorf("the index comes from %v", from)
	}
	if got, want := env["WSPROBE_AGENT_SHARD_COUNT"].Value, strconv.Itoa(int(*set.Spec.Replicas)); got != want {
		t.Errorf("the count is %q, there are %s replicas", got, want)
	}
	checkPod(t, config, set.Spec.Selector.MatchLabels, set.Spec.Template)
	for index := range *set.Spec.Replicas { // as the pods would be told
		t.Setenv("WSPROBE_AGENT_SHARD_INDEX", strconv.Itoa(int(index)))
		t.Setenv("WSPROBE_AGENT_SHARD_COUNT", env["WSPROBE_AGENT_SHARD_COUNT"].Value)
		checkConfigMap(t, config, set.Spec.Template.Spec)
	}
}

// TestKubernetesHeadless looks at the example that probes every pod of a Service: it must look up the name of this one.
func TestKubernetesHeadless(t *testing.T) {
	var service corev1.Service
	var manifest corev1.ConfigMap
	decodeManifest(t, "../kubernetes/headless.yaml", &service, &manifest)
	path := filepath.Join(t.TempDir(), "wsprobe.yaml")
	if err := os.WriteFile(path, []byte(manifest.Data["wsprobe.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, path)
	port := service.Spec.Ports[0]
	name := fmt.Sprintf("ws://%s.%s.svc:%d/", service.Name, service.Namespace, port.Port)
	if service.Spec.ClusterIP != corev1.ClusterIPNone || !strings.Contains(manifest.Data["wsprobe.yaml"], name) ||
		port.TargetPort.String() != "0" { // a headless Service maps no port
		t.Errorf("%s is not looked up for the Service at %q with %+v", name, service.Spec.ClusterIP, port)
	}
}

// checkPod looks at what the pods of a workload have in common.
func checkPod(t *testing.T, config corev1.ConfigMap, selector map[string]string, template corev1.PodTemplateSpec) {
	t.Run("rollout", func(t *testing.T) { checkRollout(t, config, selector, template) })
	t.Run("pod security", func(t *testing.T) { checkPodSecurity(t, template.Spec) })
	t.Run("configuration", func(t *testing.T) { checkConfigMap(t, config, template.Spec) })
}

// checkRollout compares how a change comes into force: through a directory that is mounted as a whole, because the
// kubelet never changes a file that is mounted by itself.
func checkRollout(t *testing.T, config corev1.ConfigMap, selector map[string]string, template corev1.PodTemplateSpec) {
	for k, v := range selector {
		if template.Labels[k] != v {
			t.Errorf("the selector's %s=%s is not among the pod's labels", k, v)
		}
	}
	mounted := false
	for _, volume := range template.Spec.Volumes {
		for _, mount := range template.Spec.Containers[0].VolumeMounts {
			if volume.ConfigMap != nil && volume.ConfigMap.Name == config.Name && mount.Name == volume.Name {
				mounted = mount.SubPath == "" && mount.SubPathExpr == ""
			}
		}
	}
	if !mounted {
		t.Errorf("the ConfigMap %s is not mounted as a directory", config.Name)
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

// TestOperatorProbe decodes the Probe of the Prometheus Operator by the Operator's own types. It must lead to the agent
// of the manifest beside it.
func TestOperatorProbe(t *testing.T) {
	var config corev1.ConfigMap
	var deployment appsv1.Deployment
	decodeManifest(t, "../kubernetes/wsprobe.yaml", &config, &deployment)
	var service corev1.Service
	var probe monitoringv1.Probe
	decodeManifest(t, "../kubernetes/probe.yaml", &service, &probe)
	container := deployment.Spec.Template.Spec.Containers[0]
	port := service.Spec.Ports[0]
	if !maps.Equal(service.Spec.Selector, deployment.Spec.Selector.MatchLabels) || port.TargetPort.String() != container.Ports[0].Name {
		t.Errorf("the Service leads to %v, %s", service.Spec.Selector, port.TargetPort.String())
	}
	if want := service.Name + ":" + strconv.Itoa(int(port.Port)); probe.Spec.ProberSpec.URL != want || probe.Spec.ProberSpec.Path != "/probe" {
		t.Errorf("the prober is %s%s, want %s/probe", probe.Spec.ProberSpec.URL, probe.Spec.ProberSpec.Path, want)
	}
	if probe.APIVersion != monitoringv1.SchemeGroupVersion.String() || probe.Kind != monitoringv1.ProbesKind || probe.Spec.Module == "" ||
		probe.Spec.Targets.StaticConfig == nil || len(probe.Spec.Targets.StaticConfig.Targets) == 0 {
		t.Errorf("%+v", probe)
	}
}

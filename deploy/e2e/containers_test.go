package e2e

import (
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// user is whom the images run as; see deploy/Dockerfile.
const user = "65532:65532"

// TestExample checks the example configuration with the agent's own loader.
func TestExample(t *testing.T) {
	check(t, "../examples/wsprobe.yaml")
}

// TestDockerfile holds what the manifests rely on: nothing but the program, not as root, and the command
// that they leave to the image or repeat.
func TestDockerfile(t *testing.T) {
	instructions := dockerfile(t, "../Dockerfile")
	for instruction, want := range map[string]string{
		"FROM":       "scratch",
		"USER":       user,
		"ENTRYPOINT": `["/wsprobe"]`,
		"CMD":        `["run", "-c", "/etc/wsprobe/wsprobe.yaml"]`,
	} {
		if got := instructions[instruction]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, want %q", instruction, got, want)
		}
	}
	if got := dockerfile(t, "../collector/Dockerfile")["USER"]; !slices.Equal(got, []string{user}) {
		t.Errorf("the Collector's USER: got %q, want %q", got, user)
	}
}

// TestCompose loads compose.yaml as docker compose does.
func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, service := range project.Services {
		t.Run(name, func(t *testing.T) { checkService(t, service) })
	}
	agent, err := project.GetService("agent")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := project.GetService(hostOf(t, environment(agent, "WSPROBE_OTLP_ENDPOINT"))); err != nil {
		t.Errorf("the agent exports to a service that is not there: %v", err)
	}
	checkReachable(t, environment(agent, "WSPROBE_AGENT_LISTEN"), agent.Ports[0].Target)
	for _, v := range agent.Volumes {
		if v.Target == "/etc/wsprobe/wsprobe.yaml" {
			check(t, v.Source, agent.Environment.ToMapping().Values()...)
			return
		}
	}
	t.Error("no configuration is mounted")
}

// checkService compares what an attacker in the container would find.
func checkService(t *testing.T, s types.ServiceConfig) {
	if !s.ReadOnly || s.Privileged || s.User != user {
		t.Errorf("read_only %v, privileged %v, user %q", s.ReadOnly, s.Privileged, s.User)
	}
	if !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 {
		t.Errorf("cap_drop %v, cap_add %v", s.CapDrop, s.CapAdd)
	}
	if !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
		t.Errorf("security_opt %v", s.SecurityOpt)
	}
	if s.NetworkMode != "" || s.Pid != "" || s.Ipc != "" {
		t.Errorf("shares with the host: network %q, pid %q, ipc %q", s.NetworkMode, s.Pid, s.Ipc)
	}
	if s.MemLimit == 0 || s.PidsLimit == 0 {
		t.Errorf("mem_limit %d, pids_limit %d", s.MemLimit, s.PidsLimit)
	}
	for _, p := range s.Ports {
		if p.HostIP != "127.0.0.1" {
			t.Errorf("port %d is published on %q, want loopback", p.Target, p.HostIP)
		}
	}
}

// checkReachable compares agent.listen with the port under which others look for it.
func checkReachable(t *testing.T, listen string, want uint32) {
	t.Helper()
	l, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	if l.IP != nil && !l.IP.IsUnspecified() || uint32(l.Port) != want {
		t.Errorf("the agent listens on %s, want port %d on every address of the container", listen, want)
	}
}

// check runs `wsprobe check` on a file that must be valid.
func check(t *testing.T, path string, env ...string) {
	t.Helper()
	wsprobe(t, 0, env, "check", "-c", path)
}

func environment(s types.ServiceConfig, name string) string {
	if v := s.Environment[name]; v != nil {
		return *v
	}
	return ""
}

func hostOf(t *testing.T, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Hostname()
}

// dockerfile returns the arguments of each instruction.
func dockerfile(t *testing.T, path string) map[string][]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	instructions := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		if name, args, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.ToUpper(name) == name {
			instructions[name] = append(instructions[name], args)
		}
	}
	return instructions
}

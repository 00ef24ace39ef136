package lab

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"
)

// Crowd is an endpoint for very many probes, in a process of its own: see the command in the folder crowd.
type Crowd struct {
	Addr    string // host:port on loopback
	Process *Process
	refused string // where nobody listens
}

// Connections is the record of one probe at a Crowd.
type Connections struct {
	Count int
	Last  int64 // when the last one began, in ms since 1970
}

// crowdProgram builds the command once a test binary.
var crowdProgram = sync.OnceValues(func() (string, error) {
	if _, err := os.Stat("lab/crowd"); err == nil {
		return Build("lab", "./crowd")
	}
	return Build("../lab", "./crowd")
})

// StartCrowd serves until the test ends.
func StartCrowd(t *testing.T) *Crowd {
	t.Helper()
	program, err := crowdProgram()
	if err != nil {
		t.Fatal(err)
	}
	c := &Crowd{Addr: FreeAddr(t), refused: FreeAddr(t)}
	c.Process = Start(t, program, c.Addr)
	Eventually(t, time.Minute, "the crowd's endpoint to listen", func() (bool, string) {
		c.Process.Running(t)
		conn, err := net.Dial("tcp", c.Addr)
		if err != nil {
			return false, err.Error()
		}
		return conn.Close() == nil, ""
	})
	return c
}

// Probes returns n probes with names that begin with prefix. One in a hundred fails: by refusal of the connection, by a
// wrong reply, or by an early end, in turn.
func (c *Crowd) Probes(prefix string, n int) []map[string]any {
	const oneIn = 100
	probes := make([]map[string]any, n)
	for i := range n {
		name, addr, path := fmt.Sprintf("%s-%d", prefix, i), c.Addr, "echo"
		if i%oneIn == 0 {
			switch i / oneIn % 3 {
			case 0:
				addr = c.refused
			case 1:
				path = "wrong"
			case 2:
				path = "early"
			}
		}
		probes[i] = map[string]any{"name": name, "url": "ws://" + addr + "/" + path + "/" + name}
	}
	return probes
}

// Refused says of a probe that it never reaches the endpoint.
func (c *Crowd) Refused(probe map[string]any) bool {
	return probe["url"] == "ws://"+c.refused+"/echo/"+probe["name"].(string)
}

// Counts returns the record, by the names of the probes.
func (c *Crowd) Counts(t *testing.T) map[string]Connections {
	t.Helper()
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Get("http://" + c.Addr + "/counts")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var counts map[string]Connections
	if err := json.NewDecoder(resp.Body).Decode(&counts); err != nil {
		t.Fatal(err)
	}
	return counts
}

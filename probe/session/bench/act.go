package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"
)

// opened, held, heard and stopped are answers to orders. Memory is in KiB a socket, beyond that before the first open.
type (
	opened struct{ Seconds float64 }
	held   struct {
		RSS, Kept   float64 // Kept: after a garbage collection, with the memory that it freed given back to the system
		Heap, Stack float64
		PingMicros  float64 // CPU of a Ping and its Pong
	}
	heard   struct{ LateP50, LateP99 float64 } // ms
	stopped struct {
		Seconds   float64
		GoingAway int // close frames with 1001 that the server got
	}
)

// crowd is many sockets of one client.
type crowd interface {
	// open opens them all.
	open() error
	// pongs is how many Pongs came.
	pongs() int64
	// stop closes them all.
	stop()
}

// act is the process of a client.
func act(s setup, name, server, profile string) error {
	addr, config, err := readServer(server)
	if err != nil {
		return err
	}
	c, err := newCrowd(s, name, addr, config)
	if err != nil {
		return err
	}
	if err := warmUp(s, name, addr, config); err != nil {
		return err
	}
	debug.FreeOSMemory()
	debug.FreeOSMemory() // a sync.Pool outlives one collection
	before := memoryNow()
	answers := json.NewEncoder(os.Stdout)
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		var answer any
		begun := time.Now()
		switch orders.Text() {
		case "open":
			err = c.open()
			answer = opened{time.Since(begun).Seconds()}
		case "measure":
			answer, err = measure(s, c, before, profile)
		case "stop":
			c.stop()
			answer = stopped{Seconds: time.Since(begun).Seconds()}
		}
		if err != nil {
			return err
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

// warmUp opens some sockets and closes them, so that code and pools, which all sockets share, are not counted as theirs.
func warmUp(s setup, name, addr string, config *tls.Config) error {
	s.sockets, s.spread = s.atOnce, false
	c, err := newCrowd(s, name, addr, config)
	if err != nil {
		return err
	}
	if err := c.open(); err != nil {
		return err
	}
	c.stop()
	return nil
}

// measure measures the sockets while they are pinged.
func measure(s setup, c crowd, before memory, profile string) (held, error) {
	each := func(kib float64) float64 { return kib / float64(s.sockets) }
	endProfile, err := profileCPU(profile)
	if err != nil {
		return held{}, err
	}
	cpu, pongs := cpuTime(), c.pongs()
	time.Sleep(s.window)
	endProfile()
	cpu, pongs = cpuTime()-cpu, c.pongs()-pongs
	if want := int64(s.sockets) * int64(s.window/s.interval) * 9 / 10; pongs < want {
		return held{}, fmt.Errorf("%d Pongs came, want %d at least", pongs, want)
	}
	h := held{RSS: each(memoryNow().rss - before.rss), PingMicros: float64(cpu.Microseconds()) / float64(pongs)}
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	now := memoryNow()
	h.Kept, h.Heap, h.Stack = each(now.rss-before.rss), each(now.heap-before.heap), each(now.stack-before.stack)
	return h, profileHeap(profile)
}

// profileCPU begins a profile of the CPU, unless path is empty. End ends it.
func profileCPU(path string) (end func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path + ".cpu")
	if err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, pprof.StartCPUProfile(f)
}

// profileHeap writes a profile of the heap, unless path is empty.
func profileHeap(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path + ".heap")
	if err != nil {
		return err
	}
	defer f.Close()
	return pprof.Lookup("heap").WriteTo(f, 0)
}

// memory is what this process takes, in KiB.
type memory struct{ rss, heap, stack float64 }

func memoryNow() memory {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memory{rss: rss(), heap: float64(m.HeapAlloc) / 1024, stack: float64(m.StackInuse) / 1024}
}

// rss is the resident memory of this process.
func rss() float64 {
	var size, resident float64
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0
	}
	return resident * float64(os.Getpagesize()) / 1024
}

// cpuTime is the CPU time of this process.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// readServer reads what the process of a server printed: its address and, with TLS, its certificate.
func readServer(line string) (addr string, config *tls.Config, err error) {
	addr, encoded, secure := strings.Cut(line, "/")
	if !secure {
		return addr, nil, nil
	}
	der, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return "", nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return addr, &tls.Config{RootCAs: roots, ServerName: serverName}, nil
}

package e2e

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// capture is what tcpdump sees on the loopback interface of the connections to one address. What wsprobe tells of its
// sessions is compared with it, because it knows nothing of either side.
type capture struct {
	tcpdump *lab.Process
	file    string
	port    uint16
}

// snapshot is how many bytes of a packet are kept. The messages of these tests are short, and short slots make many of
// them for a tcpdump that has to wait for a processor.
const snapshot = "4096"

// startCapture starts tcpdump. A machine on which nobody may see packets cannot run the test.
func startCapture(t *testing.T, addr string) *capture {
	t.Helper()
	program := need(t, "tcpdump", "tcpdump")
	if fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0); err != nil {
		t.Skipf("capturing packets: %v", err)
	} else if err := syscall.Close(fd); err != nil {
		t.Fatal(err)
	}
	server, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(addr)
	c := &capture{file: filepath.Join(t.TempDir(), "packets.pcap"), port: uint16(server.Port)}
	c.tcpdump = lab.Start(t, program, "-i", "lo", "-Z", "root", "--immediate-mode", "-U", "-B", "65536", "-s", snapshot, "-w", c.file, "tcp port "+port)
	announced(t, c.tcpdump, `(listening on lo)`)
	return c
}

// connections ends the capture and returns the WebSocket connections to a path, in the order of their opens.
func (c *capture) connections(t *testing.T) map[string][]*wireConn {
	t.Helper()
	lab.Wait(t, 200*time.Millisecond) // the last packets are on their way to tcpdump
	c.tcpdump.Stop(t, lab.StopLimit)
	if !strings.Contains(c.tcpdump.Output(), "\n0 packets dropped by kernel") {
		t.Fatalf("the capture is not complete: %s", c.tcpdump.Output())
	}
	data, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	return assemble(t, packets(t, data), c.port)
}

// packet is a TCP segment.
type packet struct {
	at            time.Time
	from, to      uint16 // the ports
	seq           uint32
	syn, fin, rst bool
	payload       []byte
}

// packets reads a file in the format of libpcap, with Ethernet frames.
func packets(t *testing.T, data []byte) (list []packet) {
	t.Helper()
	const magicMicros, fileHeader, recordHeader = 0xa1b2c3d4, 24, 16
	if len(data) < fileHeader || binary.NativeEndian.Uint32(data) != magicMicros {
		t.Fatal("tcpdump wrote another format")
	}
	r := bytes.NewReader(data[fileHeader:])
	for {
		var head [recordHeader]byte
		if _, err := io.ReadFull(r, head[:]); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		kept, size := binary.NativeEndian.Uint32(head[8:]), binary.NativeEndian.Uint32(head[12:])
		if kept < size {
			t.Fatalf("a packet of %d bytes is longer than those that tcpdump keeps", size)
		}
		frame := make([]byte, kept)
		if _, err := io.ReadFull(r, frame); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(binary.NativeEndian.Uint32(head[:])), int64(binary.NativeEndian.Uint32(head[4:]))*1000)
		if p, ok := segment(frame); ok {
			p.at = at
			list = append(list, p)
		}
	}
}

// segment takes an Ethernet frame with TCP over IPv4 apart.
func segment(frame []byte) (p packet, ok bool) {
	const ethernet, protocolTCP = 14, 6
	if len(frame) < ethernet+20 || binary.BigEndian.Uint16(frame[12:]) != 0x0800 {
		return p, false
	}
	ip := frame[ethernet:]
	ip = ip[:binary.BigEndian.Uint16(ip[2:])]
	tcp := ip[int(ip[0]&0x0f)*4:]
	if ip[9] != protocolTCP || len(tcp) < 20 {
		return p, false
	}
	flags := tcp[13]
	return packet{
		from: binary.BigEndian.Uint16(tcp), to: binary.BigEndian.Uint16(tcp[2:]), seq: binary.BigEndian.Uint32(tcp[4:]),
		fin: flags&1 != 0, syn: flags&2 != 0, rst: flags&4 != 0, payload: tcp[int(tcp[12]>>4)*4:],
	}, true
}

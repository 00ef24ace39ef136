package discovery

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers over UDP and TCP.
type nameServer struct {
	address string
	answer  func(q dnsmessage.Question, tcp bool) dnsmessage.Message
	udp     atomic.Int32 // questions
	tcp     atomic.Int32
}

// startNameServer starts a server on both protocols of one port.
func startNameServer(t *testing.T, answer func(q dnsmessage.Question, tcp bool) dnsmessage.Message) *nameServer {
	t.Helper()
	s := &nameServer{answer: answer}
	for range 100 { // a port may be free for one protocol only
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		streams, err := net.Listen("tcp", packets.LocalAddr().String())
		if err != nil {
			packets.Close()
			continue
		}
		s.address = packets.LocalAddr().String()
		t.Cleanup(func() { packets.Close(); streams.Close() })
		go s.servePackets(packets)
		go s.serveStreams(streams)
		return s
	}
	t.Fatal("no port is free for UDP and TCP")
	return nil
}

func (s *nameServer) servePackets(packets net.PacketConn) {
	buffer := make([]byte, 4096)
	for {
		n, from, err := packets.ReadFrom(buffer)
		if err != nil {
			return
		}
		s.udp.Add(1)
		if reply := s.reply(buffer[:n], false); reply != nil {
			_, _ = packets.WriteTo(reply, from)
		}
	}
}

func (s *nameServer) serveStreams(streams net.Listener) {
	for {
		conn, err := streams.Accept()
		if err != nil {
			return
		}
		s.tcp.Add(1)
		length := make([]byte, 2)
		if _, err := io.ReadFull(conn, length); err == nil {
			question := make([]byte, binary.BigEndian.Uint16(length))
			if _, err := io.ReadFull(conn, question); err == nil {
				reply := s.reply(question, true)
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
			}
		}
		conn.Close()
	}
}

// reply is nil for no answer.
func (s *nameServer) reply(data []byte, tcp bool) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(data); err != nil || len(m.Questions) != 1 {
		return nil
	}
	reply := s.answer(m.Questions[0], tcp)
	if reply.ID == silent {
		return nil
	}
	reply.ID, reply.Response, reply.Authoritative, reply.Questions = m.ID, true, true, m.Questions
	packed, err := reply.Pack()
	if err != nil {
		panic(err)
	}
	return packed
}

// silent as the ID of a reply means that there is none.
const silent = 1

func code(code dnsmessage.RCode) dnsmessage.Message {
	return dnsmessage.Message{Header: dnsmessage.Header{RCode: code}}
}

// hosts answers a question for A with n addresses.
func hosts(q dnsmessage.Question, n int) (m dnsmessage.Message) {
	for i := range n {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class},
			Body:   &dnsmessage.AResource{A: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).As4()},
		})
	}
	return m
}

// asking makes a source that asks one server for A records.
func asking(t *testing.T, server string, timeout time.Duration, names ...string) *Source {
	t.Helper()
	source, err := New(Options{MaxTargets: 5000, DNS: &DNS{Names: names, Type: "A", Port: 80, Server: server, Refresh: time.Minute, Timeout: timeout}})
	if err != nil {
		t.Fatal(err)
	}
	source.looker.(*dnsLooker).conf = "no such file"
	return source
}

func TestNameServerTakesBackAndFails(t *testing.T) {
	var now atomic.Value
	now.Store(code(dnsmessage.RCodeSuccess))
	server := startNameServer(t, func(q dnsmessage.Question, _ bool) dnsmessage.Message {
		if m := now.Load().(dnsmessage.Message); m.RCode != dnsmessage.RCodeSuccess || m.ID == silent || m.Truncated {
			return m
		}
		return hosts(q, 2)
	})
	source := asking(t, server.address, 2*time.Second, "chat.example")
	for _, test := range []struct {
		name    string
		answer  dnsmessage.Message
		targets int
		problem string
	}{
		{"two addresses", code(dnsmessage.RCodeSuccess), 2, ""},
		{"server failure", code(dnsmessage.RCodeServerFailure), 2, "chat.example.: server misbehaving from " + server.address},
		{"refused", code(dnsmessage.RCodeRefused), 2, "chat.example.: server misbehaving from " + server.address},
		{"not implemented", code(dnsmessage.RCodeNotImplemented), 2, "chat.example.: server misbehaving from " + server.address},
		{"no answer", dnsmessage.Message{Header: dnsmessage.Header{ID: silent}}, 2, "chat.example.: no answer from " + server.address},
		{"no such name", code(dnsmessage.RCodeNameError), 0, ""},
		{"two addresses again", code(dnsmessage.RCodeSuccess), 2, ""},
	} {
		now.Store(test.answer)
		source.take(source.looker.look(t.Context()), time.Now())
		if got := source.State(); got.Targets != test.targets || got.Problem != test.problem {
			t.Errorf("%s: %d targets, problem %q; want %d, %q", test.name, got.Targets, got.Problem, test.targets, test.problem)
		}
	}
}

func TestNameServerWithAnEmptyAnswer(t *testing.T) {
	var n atomic.Int32
	n.Store(3)
	server := startNameServer(t, func(q dnsmessage.Question, _ bool) dnsmessage.Message { return hosts(q, int(n.Load())) })
	source := asking(t, server.address, 30*time.Second, "chat.example")
	source.take(source.looker.look(t.Context()), time.Now())
	if got := source.State(); got.Targets != 3 {
		t.Fatalf("state %+v", got)
	}
	n.Store(0) // the name is there, and has no address
	source.take(source.looker.look(t.Context()), time.Now())
	if got := source.State(); got.Targets != 0 || got.Problem != "" {
		t.Errorf("state %+v", got)
	}
}

func TestNameServerTruncatesAndAnswersOverTCP(t *testing.T) {
	const pods = 3000
	server := startNameServer(t, func(q dnsmessage.Question, tcp bool) dnsmessage.Message {
		if !tcp {
			m := hosts(q, 10) // half an answer, which must not end the other pods
			m.Truncated = true
			return m
		}
		return hosts(q, pods)
	})
	source := asking(t, server.address, 30*time.Second, "chat.example")
	source.take(source.looker.look(t.Context()), time.Now())
	if got := source.State(); got.Targets != pods || got.Problem != "" || server.tcp.Load() != 1 {
		t.Errorf("state %+v, %d streams", got, server.tcp.Load())
	}
}

func TestNoNameServerIsTheSameProblemAtEachLook(t *testing.T) {
	source := asking(t, "127.0.0.1:1", 2*time.Second, "chat.example")
	for range 2 {
		source.take(source.looker.look(t.Context()), time.Now())
		if got := source.State().Problem; got != "chat.example.: connection refused from 127.0.0.1:1" {
			t.Errorf("problem %q", got)
		}
	}
}

func TestManyNamesAtOnce(t *testing.T) {
	server := startNameServer(t, func(q dnsmessage.Question, _ bool) dnsmessage.Message {
		if strings.HasPrefix(q.Name.String(), "n7.") {
			return code(dnsmessage.RCodeServerFailure)
		}
		return hosts(q, 2)
	})
	var list []string
	for i := range 40 {
		list = append(list, fmt.Sprintf("n%d.example", i))
	}
	source := asking(t, server.address, 30*time.Second, list...)
	source.take(source.looker.look(t.Context()), time.Now())
	if got := source.State(); got.Targets != 78 || !strings.HasPrefix(got.Problem, "n7.example.: ") {
		t.Errorf("state %+v", got)
	}
}

func TestDeadNameServerLeavesTimeForTheNext(t *testing.T) {
	silentServer := startNameServer(t, func(dnsmessage.Question, bool) dnsmessage.Message {
		return dnsmessage.Message{Header: dnsmessage.Header{ID: silent}}
	})
	// The resolver asks twice at least, and each wait ends after a quarter of the time.
	source := asking(t, silentServer.address, 2*time.Second, "chat.example")
	source.take(source.looker.look(t.Context()), time.Now())
	if got := silentServer.udp.Load(); got < 2 {
		t.Errorf("asked %d times", got)
	}
}

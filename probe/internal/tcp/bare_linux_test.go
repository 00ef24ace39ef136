//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package tcp

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"
	"time"
)

// readBare reads as soon as there is something.
func readBare(t *testing.T, b *Bare, p []byte) (int, error) {
	t.Helper()
	for hangs := time.Now().Add(time.Minute); time.Now().Before(hangs); { // only a hang meets it
		b.Look(false)
		if n, err := b.Read(p); !IsTimeout(err) {
			return n, err
		}
	}
	t.Fatal("nothing came")
	return 0, nil
}

// TestBare: a connection goes on without package net. Its reads do not wait, tell the kernel's time, and find the end.
func TestBare(t *testing.T) {
	c, server := pair(t)
	var r Receiver
	var b Bare
	if !c.Bare(&b, &r) {
		t.Fatal("it cannot be made bare")
	}
	r.Wait()
	buf := make([]byte, 4)
	if _, err := b.Read(buf); !IsTimeout(err) {
		t.Errorf("got %v before anything came", err)
	}
	if c.Bare(new(Bare), &r) {
		t.Error("it was made bare twice")
	}
	for _, w := range []io.Writer{&b, c} { // as plain text and as TLS on it
		if _, err := w.Write([]byte("hi")); err != nil {
			t.Fatal(err)
		}
	}
	heard := make([]byte, 4)
	if _, err := io.ReadFull(server, heard); err != nil || string(heard) != "hihi" {
		t.Fatalf("the server got %q, %v", heard, err)
	}

	before := time.Now()
	if _, err := server.Write([]byte("abcdef")); err != nil {
		t.Fatal(err)
	}
	if n, err := readBare(t, &b, buf); err != nil || string(buf[:n]) != "abcd" {
		t.Fatalf("got %q, %v", buf[:n], err)
	}
	if at := b.ArrivedAt(); at.Before(before.Add(-time.Second)) || at.After(time.Now()) {
		t.Errorf("it came %v after it was sent", at.Sub(before))
	}
	b.Look(true)
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != "ef" {
		t.Fatalf("got %q, %v", buf[:n], err)
	}
	if _, err := server.Write([]byte("g")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Read(buf); !IsTimeout(err) {
		t.Errorf("got %v behind a short read", err)
	}
	if n, err := readBare(t, &b, buf); err != nil || string(buf[:n]) != "g" {
		t.Fatalf("got %q, %v", buf[:n], err)
	}

	_ = server.CloseWrite()
	if _, err := readBare(t, &b, buf); !errors.Is(err, io.EOF) {
		t.Errorf("got %v at the end", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(server, heard); !errors.Is(err, io.EOF) {
		t.Errorf("the server got %v at the end", err)
	}
}

// TestBareUnsent: what the kernel has no room for is kept, in order, until there is room.
func TestBareUnsent(t *testing.T) {
	c, server := pair(t)
	var r Receiver
	var b Bare
	if !c.Bare(&b, &r) {
		t.Fatal("it cannot be made bare")
	}
	said := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	for _, piece := range [][]byte{said[:10], said[10 : len(said)-5], said[len(said)-5:]} {
		if n, err := b.Write(piece); n != len(piece) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if b.Unsent() == 0 || b.Unsent() > len(said) {
		t.Fatalf("%d bytes are unsent", b.Unsent())
	}
	heard := make(chan []byte)
	go func() {
		got := make([]byte, len(said))
		n, _ := io.ReadFull(server, got)
		heard <- got[:n]
	}()
	for hangs := time.Now().Add(time.Minute); ; { // only a hang meets it
		all, err := b.Flush()
		if err != nil || time.Now().After(hangs) {
			t.Fatalf("%d bytes are unsent, %v", b.Unsent(), err)
		}
		if all {
			break
		}
	}
	if got := <-heard; !bytes.Equal(got, said) || b.Unsent() != 0 {
		t.Errorf("%d bytes came, %d are unsent", len(got), b.Unsent())
	}
	_ = server.SetLinger(0)
	_ = server.Close()
	_, err := readBare(t, &b, make([]byte, 4))
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want the reset", err)
	}
	_ = b.Close()
}

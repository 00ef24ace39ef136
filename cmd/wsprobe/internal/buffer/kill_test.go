package buffer

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// killedDir names the directory of a process that is to be killed.
const killedDir = "WSPROBE_TEST_KILLED_DIR"

// TestKilledChild is a process that adds events of three names, accepts some, and tells what it did, until it is
// killed.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv(killedDir)
	if dir == "" {
		t.Skip("another test starts this one")
	}
	b, err := Open(Options{Dir: dir, Lanes: 2})
	if err != nil {
		t.Fatal(err)
	}
	go b.Run(context.Background())
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for i := 0; ; i++ {
		b.Add(event(fmt.Sprintf("%c/%d", 'a'+i%3, i)))
		if i%50 == 0 {
			items, err := b.Next(context.Background(), i/50%2, Batch{Events: 10}, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range items[:len(items)/2] {
				fmt.Println("accepted", it.ID) // before, because a kill can come between
				b.Accept(it)
			}
			b.Return(i / 50 % 2)
		}
		if i%20 == 0 {
			<-pause.C
		}
		b.mu.Lock()
		durable := i
		if b.fresh.first != nil {
			durable = b.fresh.first.index - 1
		}
		b.mu.Unlock()
		if i%100 == 0 {
			fmt.Println("durable", durable)
		}
	}
}

// TestKill9 kills a process again and again. Each event that was on disk, or earlier than one that was, comes again in
// its order, but for those that were accepted.
func TestKill9(t *testing.T) {
	for round := range 4 {
		dir := t.TempDir()
		durable, accepted := killChild(t, dir, 5000+2500*round)
		b, err := Open(Options{Dir: dir, Lanes: 3})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b.Run(ctx)
		}()
		b.Seal()
		came := make(map[string]bool)
		for lane := range 3 {
			last := map[string]int{"a": -1, "b": -1, "c": -1}
			for {
				items, err := b.Next(ctx, lane, Batch{Events: 100}, 0)
				if err != nil {
					break
				}
				for _, it := range items {
					n := 0
					_, number, _ := strings.Cut(it.ID, "/")
					if _, err := fmt.Sscan(number, &n); err != nil || n < last[it.Lane] || it.Sends == 0 {
						t.Fatalf("%s came after %d, sent %d times", it.ID, last[it.Lane], it.Sends)
					}
					last[it.Lane] = n
					came[it.ID] = true
				}
				b.Accept(items...)
			}
		}
		for i := range durable + 1 {
			if id := fmt.Sprintf("%c/%d", 'a'+i%3, i); !came[id] && !accepted[id] {
				t.Fatalf("%s of %d is lost", id, durable)
			}
		}
		stop()
		<-ended
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killChild starts a process, kills it once so many events are on disk, and returns what it told.
func killChild(t *testing.T, dir string, most int) (durable int, accepted map[string]bool) {
	child := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	child.Env = append(os.Environ(), killedDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Wait() }()
	defer func() { _ = child.Process.Kill() }()
	accepted = make(map[string]bool)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, text, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "accepted":
			accepted[text] = true
		case "durable":
			if _, err := fmt.Sscan(text, &durable); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatal(lines.Text())
		}
		if durable >= most {
			_ = child.Process.Kill() // what it told before is read to its end
		}
	}
	return durable, accepted
}

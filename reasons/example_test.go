package reasons_test

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/wsprobe/wsprobe/reasons"
)

// The code of a failed run says how far it got, and so who has to look. The error type says what broke.
func ExampleExplain() {
	for _, run := range []struct {
		story    string
		evidence reasons.Evidence
	}{
		{"nobody listens on the port", reasons.Evidence{Stage: reasons.StageConnect, Err: syscall.ECONNREFUSED}},
		{"the gateway wants a token", reasons.Evidence{Stage: reasons.StageUpgrade, Status: 401}},
		{"the application stays silent", reasons.Evidence{Stage: reasons.StageReply, DeadlinePassed: true}},
		{"it answers with an error", reasons.Evidence{Stage: reasons.StageReply, DeadlinePassed: true, Unmatched: 1}},
		{"it closes the socket", reasons.Evidence{Stage: reasons.StageReply, CloseReceived: true}},
		{"it answers as expected", reasons.Evidence{Stage: reasons.StageDone}},
	} {
		code, errorType := reasons.Explain(run.evidence)
		fmt.Println(run.story+":", code, errorType)
	}
	// Output:
	// nobody listens on the port: ws_open_failed connection_refused
	// the gateway wants a token: ws_open_failed http_401
	// the application stays silent: ws_reply_timeout reply_timeout
	// it answers with an error: ws_reply_mismatch reply_mismatch
	// it closes the socket: ws_closed_early close_frame
	// it answers as expected: ok
}

// An answer that arrived outranks the clock: a refusal stays a refusal, even if time runs out while its body is read.
func ExampleExplain_definite() {
	timeout := errors.New("i/o timeout")
	late := reasons.Evidence{Stage: reasons.StageUpgrade, DeadlinePassed: true, Err: timeout}
	fmt.Println(reasons.Explain(late))

	late.Status = 503
	fmt.Println(reasons.Explain(late))
	// Output:
	// ws_handshake_timeout upgrade_timeout
	// ws_open_failed http_503
}

// A hint follows from what the run saw. It names the fields of a probe as in a file, or by other words: here, flags.
func ExampleHint() {
	failure := reasons.Failure{
		Code:  reasons.ClosedEarly,
		Type:  reasons.MessageTooBig,
		Clues: reasons.Clues{Stage: reasons.StageReply},
	}
	fmt.Println(reasons.Hint(failure, nil))
	fmt.Println(reasons.Hint(failure, reasons.Words{"max_message_bytes": "--max-message-bytes"}))
	// Output:
	// the server sends messages over the probe's limit: raise max_message_bytes if they are meant to be that long
	// the server sends messages over the probe's limit: raise --max-message-bytes if they are meant to be that long
}

// The five codes stand in the order in which a run can meet them.
func ExampleCodes() {
	for _, code := range reasons.Codes() {
		fmt.Println(code)
	}
	// Output:
	// ws_open_failed
	// ws_handshake_timeout
	// ws_reply_timeout
	// ws_closed_early
	// ws_reply_mismatch
}

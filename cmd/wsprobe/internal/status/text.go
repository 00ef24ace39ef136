package status

import "net/http"

func writeText(w http.ResponseWriter, code int, text string) {
	header(w, "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // the client has gone
}

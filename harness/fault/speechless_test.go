package fault

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// listening is a target that shows what comes.
type listening struct {
	sandbox.Sandbox
	net.Listener
}

func (l listening) URL() string { return "http://" + l.Addr().String() }

// Four clients say nothing or a line, one keeps its last byte back, and one asks and lets
// the answer be.
func TestClientsThatStopHalfWay(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 6)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { got <- heard(conn) }()
		}
	}()
	const asks = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
	f := Speechless{Clients: 4, Begins: true, Asks: []byte(asks), Halves: 1}
	injected, err := f.Inject(t.Context(), listening{Listener: l})
	if err != nil {
		t.Fatal(err)
	}
	if hits, note, err := injected.Hits(t.Context()); hits != 6 || note != "" || err != nil {
		t.Errorf("%d hits, %q, %v", hits, note, err)
	}
	if err := injected.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	counted := map[string]int{}
	for range 6 {
		counted[<-got]++
	}
	if counted["nothing"] != 4 || counted["a"] != 1 || counted["ab, unread"] != 1 {
		t.Errorf("heard %v", counted)
	}
}

// heard is the body that came of a request. A whole one is answered at length.
func heard(conn net.Conn) string {
	defer conn.Close()
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return "nothing"
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return string(body)
	}
	if n, err := conn.Write(make([]byte, 64<<20)); err != nil && n > 0 {
		return string(body) + ", unread"
	}
	return "read"
}

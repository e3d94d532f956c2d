package control_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"pc5d/daemon/control"
	"pc5d/daemon/control/client"
)

// hostile is text as a peer would like to see it on a terminal or in a log.
const hostile = "a\x1b[31m\r\n\x00\"},{\"x\":\u009b1m\u202e<script>\xff"

// service knows one link, bob; everything it says is hostile.
type service struct{}

func (service) Status(context.Context) (control.Status, error) {
	return control.Status{
		Node:  control.Node{Name: hostile},
		Links: []control.LinkStatus{{Name: "bob", Peer: hostile, LastError: hostile, Hint: hostile}},
		Drops: map[string]uint64{hostile: 1},
	}, nil
}

func (service) Up(_ context.Context, link string) (control.LinkStatus, error) {
	if link != "bob" {
		return control.LinkStatus{}, fmt.Errorf("%w: %s", control.ErrNoLink, link)
	}
	return control.LinkStatus{Name: "bob", State: "established"}, nil
}

func (service) Down(ctx context.Context, link string) (control.LinkStatus, error) {
	return control.LinkStatus{}, control.ErrStopping
}

func (s service) Rekey(ctx context.Context, link string) (control.LinkStatus, error) {
	return s.Up(ctx, link)
}

func (s service) Update(ctx context.Context, link string) (control.LinkStatus, error) {
	return s.Up(ctx, link)
}

func (service) Solicit(ctx context.Context, _ netip.AddrPort, _ string) (control.Status, error) {
	return control.Status{}, ctx.Err()
}

func (service) Invite(_ context.Context, r control.InviteRequest) (control.Invite, error) {
	return control.Invite{Link: r.Link, Token: hostile}, nil
}

func (service) Revoke(_ context.Context, link string) error {
	return fmt.Errorf("no invite for %q", link)
}

func (s service) Join(ctx context.Context, token, link string) (control.LinkStatus, error) {
	return s.Up(ctx, link)
}

func (s service) Unpair(ctx context.Context, link string) error {
	_, err := s.Up(ctx, link)
	return err
}

func (service) Forget(context.Context, string) (int, error) { return 0, nil }

func (service) Reload(context.Context) (control.Reloaded, error) {
	return control.Reloaded{Keys: 3}, nil
}

// serve runs a server in a folder that everybody may enter, and returns its socket.
func serve(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pc5")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	s, err := control.Listen(path, service{}, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return path
}

// answers demands that the server still works.
func answers(t *testing.T, path string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if s, err := client.New(path).Up(ctx, "bob", 0); err != nil || s.State != "established" {
		t.Errorf("the server does not answer: %+v, %v", s, err)
	}
}

// exchange sends raw octets and returns all of the answer.
func exchange(t *testing.T, path, request string) string {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	go io.WriteString(c, request) // the server may answer and close before all is sent
	answer, _ := io.ReadAll(c)    // and then the connection breaks
	return string(answer)
}

// TestT74_SocketMode: the socket is its owner's alone from the first moment, whatever the umask.
func TestT74_SocketMode(t *testing.T) {
	info, err := os.Stat(serve(t))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

// TestT74_OtherUser: another user is turned away even where the mode of the socket lets him in.
func TestT74_OtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("taking another user's identity needs root")
	}
	path := serve(t)
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	type result struct {
		n   int
		err error
	}
	results := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its identity
		n, err := asNobody(path)
		results <- result{n, err}
	}()
	if r := <-results; r.err != nil || r.n != 0 {
		t.Errorf("nobody got %d octets of answer, %v", r.n, r.err)
	}
	answers(t, path)
}

// asNobody makes this thread alone another user's, asks for the status, and counts the answer.
func asNobody(path string) (int, error) {
	const nobody = 65534
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); e != 0 {
		return 0, e
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return 0, err
	}
	unix.SendmsgN(fd, []byte("GET /v1/status HTTP/1.1\r\nHost: pc5d\r\n\r\n"), nil, nil, unix.MSG_NOSIGNAL) // may be closed already
	n, err := unix.Read(fd, make([]byte, 1000))
	if err == unix.ECONNRESET {
		return 0, nil
	}
	return n, err
}

// TestT74_Limits: requests of absurd size or form are refused or cut, and the server goes on.
func TestT74_Limits(t *testing.T) {
	path := serve(t)
	const post = "POST /v1/links/bob/up HTTP/1.1\r\nHost: pc5d\r\nConnection: close\r\n"
	big := strings.Repeat("x", 1<<20)
	deep := strings.Repeat("[", 1<<20)
	for _, c := range []struct{ name, request, status string }{
		{"header of 1 MiB", post + "X: " + big + "\r\n\r\n", "431"},
		{"body of 1 MiB", fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", post, len(big), big), "200"},
		{"deep JSON", fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", post, len(deep), deep), "200"},
		{"endless chunks", post + "Transfer-Encoding: chunked\r\n\r\n100000\r\n" + big, "200"},
		{"wait too long", strings.Replace(post, "/up", "/up?wait=1h", 1) + "\r\n", "400"},
		{"wait backwards", strings.Replace(post, "/up", "/up?wait=-1s", 1) + "\r\n", "400"},
		{"wait without unit", strings.Replace(post, "/up", "/up?wait=1", 1) + "\r\n", "400"},
		{"no such link", strings.Replace(post, "bob", "%1b%5b31m", 1) + "\r\n", "404"},
		{"no such method", strings.Replace(post, "POST", "DELETE", 1) + "\r\n", "405"},
		{"not HTTP", "\x00\x01\x02\r\n\r\n", "400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := exchange(t, path, c.request)
			if answer != "" && !strings.HasPrefix(answer, "HTTP/1.1 "+c.status) {
				t.Errorf("answered %.60q, want status %s", answer, c.status)
			}
			if len(answer) > 8<<10 {
				t.Errorf("%d octets of answer", len(answer))
			}
			answers(t, path)
		})
	}
}

// TestT74_Idle: callers that say nothing keep nobody out, and are put out themselves.
func TestT74_Idle(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the read timeout of 5 s")
	}
	t.Parallel()
	path := serve(t)
	var slow []net.Conn
	for range 200 {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /v1/st"); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	answers(t, path)
	for _, c := range slow {
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Fatalf("still connected: %v", err)
		}
	}
}

// TestT39_JSON: hostile text comes through as text: one JSON value, no control characters, and
// the same string at the other end but for what was no UTF-8.
func TestT39_JSON(t *testing.T) {
	path := serve(t)
	raw := exchange(t, path, "GET /v1/status HTTP/1.1\r\nHost: pc5d\r\nConnection: close\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v, %v", response.Header, err)
	}
	wantOneValue(t, body)
	s, err := client.New(path).Status(t.Context())
	want := strings.ToValidUTF8(hostile, string(utf8.RuneError))
	if err != nil || s.Links[0].Peer != want || s.Links[0].LastError != want || s.Links[0].Hint != want || s.Node.Name != want || s.Drops[want] != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// wantOneValue demands one line with one JSON value and no ASCII control character in it.
func wantOneValue(t *testing.T, body []byte) {
	t.Helper()
	line, ok := bytes.CutSuffix(body, []byte("\n"))
	if !ok || !json.Valid(line) {
		t.Errorf("not one JSON value: %q", body)
	}
	for _, r := range string(line) {
		if r < 0x20 || r == 0x7f || r == '<' {
			t.Errorf("%q in %q", r, line)
		}
	}
	if !utf8.Valid(line) {
		t.Errorf("no UTF-8: %q", line)
	}
}

// FuzzT39Control: no request panics, and what is answered as JSON is JSON.
func FuzzT39Control(f *testing.F) {
	for _, target := range []string{"/v1/status", "/v1/links/bob/up?wait=1s", "/v1/links/bob/down", "/v1/links/bob/unpair", "/v1/links/%1b%0a%00/up", "/v1/links/a%2fb/up?wait=%1b", "//", "*"} {
		f.Add([]byte("POST " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"))
		f.Add([]byte("GET " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"))
	}
	for _, c := range []string{"invites Content-Length: 66\r\n\r\n{\"link\":\"\\u001b\",\"endpoint\":\"192.0.2.1:1\",\"expires\":\"1h\",\"x\":1}  ", "join Content-Length: 30\r\n\r\n{\"token\":\"A\",\"link\":\"bob\"}    "} {
		verb, rest, _ := strings.Cut(c, " ")
		f.Add([]byte("POST /v1/" + verb + " HTTP/1.1\r\nHost: x\r\n" + rest))
	}
	h := control.Handler(service{}, http.NotFoundHandler())
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			wantOneValue(t, w.Body.Bytes())
		} else if strings.ContainsFunc(w.Body.String(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
			t.Errorf("answer %q", w.Body)
		}
	})
}

// TestReload: the word goes through, and the answer comes back.
func TestReload(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if r, err := client.New(serve(t)).Reload(ctx); err != nil || r.Keys != 3 {
		t.Errorf("got %+v, %v", r, err)
	}
}

package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"pc5d/daemon/serve"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxHeader   = 8 << 10
	maxBody     = 64 << 10
	maxWait     = 2 * time.Minute
	defaultWait = 20 * time.Second
	readTimeout = 5 * time.Second
	probe       = time.Second
)

// Server serves one control socket.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// Listen makes the socket. One that a dead daemon left is replaced, a live one is not. Scrapes of /metrics go
// to a handler of their own.
func Listen(path string, s Service, metrics http.Handler, log *slog.Logger) (*Server, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	old := syscall.Umask(0o177)
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w; name another one with --socket", path, err)
	}
	server := &http.Server{
		Handler: handler(s, metrics), MaxHeaderBytes: maxHeader, ReadTimeout: readTimeout, WriteTimeout: maxWait + readTimeout,
		IdleTimeout: readTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return &Server{listener: peerListener{l}, http: server}, nil
}

// removeStale takes away a socket that nobody listens on.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("control socket %s: %w", path, err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("control socket %s: a file that is no socket is in the way", path)
	}
	c, err := net.DialTimeout("unix", path, probe)
	if err == nil {
		c.Close()
		return fmt.Errorf("control socket %s is in use by another pc5d: stop it, or name another one with --socket", path)
	}
	return os.Remove(path)
}

// Run serves until ctx ends; the socket is gone afterwards.
func (s *Server) Run(ctx context.Context) error {
	if err := serve.Until(ctx, s.http, s.listener); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

// Close removes the socket of a server that never ran.
func (s *Server) Close() { s.listener.Close() }

// peerListener lets in only root and the daemon's own user.
type peerListener struct{ net.Listener }

func (l peerListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if uid, err := peerUID(c); err == nil && (uid == 0 || int(uid) == os.Geteuid()) {
			return c, nil
		}
		c.Close()
	}
}

func peerUID(c net.Conn) (uint32, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0, errors.New("no Unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var inner error
	err = raw.Control(func(fd uintptr) { cred, inner = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err = errors.Join(err, inner); err != nil {
		return 0, err
	}
	return cred.Uid, nil
}

func handler(s Service, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) {
		v, err := s.Status(r.Context())
		reply(w, v, err)
	})
	for verb, do := range map[string]func(context.Context, string) (LinkStatus, error){
		"up": s.Up, "down": s.Down, "rekey": s.Rekey, "update": s.Update,
	} {
		mux.HandleFunc("POST /v1/links/{name}/"+verb, func(w http.ResponseWriter, r *http.Request) {
			withWait(w, r, do)
		})
	}
	mux.HandleFunc("POST /v1/links/{name}/unpair", func(w http.ResponseWriter, r *http.Request) {
		withWait(w, r, func(ctx context.Context, name string) (Removed, error) { return Removed{name}, s.Unpair(ctx, name) })
	})
	mux.HandleFunc("POST /v1/invites", func(w http.ResponseWriter, r *http.Request) {
		var request InviteRequest
		if read(w, r, &request) {
			v, err := s.Invite(r.Context(), request)
			reply(w, v, err)
		}
	})
	mux.HandleFunc("POST /v1/invites/{name}/revoke", func(w http.ResponseWriter, r *http.Request) {
		err := s.Revoke(r.Context(), r.PathValue("name"))
		reply(w, Removed{r.PathValue("name")}, err)
	})
	mux.HandleFunc("POST /v1/join", func(w http.ResponseWriter, r *http.Request) {
		var request JoinRequest
		if read(w, r, &request) {
			withWait(w, r, func(ctx context.Context, _ string) (LinkStatus, error) {
				return s.Join(ctx, request.Token, request.Link)
			})
		}
	})
	mux.HandleFunc("POST /v1/solicit", func(w http.ResponseWriter, r *http.Request) {
		to, err := netip.ParseAddrPort(r.URL.Query().Get("to"))
		if err != nil {
			write(w, http.StatusBadRequest, Problem{Error: fmt.Sprintf("to=%q: expected ADDRESS:PORT", r.URL.Query().Get("to"))})
			return
		}
		withWait(w, r, func(ctx context.Context, _ string) (Status, error) {
			return s.Solicit(ctx, to, r.URL.Query().Get("service"))
		})
	})
	mux.HandleFunc("POST /v1/forget", func(w http.ResponseWriter, r *http.Request) {
		n, err := s.Forget(r.Context(), r.URL.Query().Get("peer"))
		reply(w, Forgotten{n}, err)
	})
	mux.HandleFunc("POST /v1/reload", func(w http.ResponseWriter, r *http.Request) {
		v, err := s.Reload(r.Context())
		reply(w, v, err)
	})
	return http.MaxBytesHandler(mux, maxBody)
}

// read reads the body of a request, strictly; false: the caller was told what is wrong. Secrets travel
// in bodies, never in a URL.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = errors.New("more than one JSON value")
	}
	if err != nil {
		write(w, http.StatusBadRequest, Problem{Error: "the body is no such request: " + err.Error()})
	}
	return err == nil
}

// withWait bounds an operation by the wait that the caller asked for.
func withWait[T any](w http.ResponseWriter, r *http.Request, do func(context.Context, string) (T, error)) {
	wait := defaultWait
	if v := r.URL.Query().Get("wait"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d < 0 || d > maxWait {
			write(w, http.StatusBadRequest, Problem{Error: fmt.Sprintf("wait=%q: expected a duration from 0s to %s", v, maxWait)})
			return
		}
		wait = d
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	v, err := do(ctx, r.PathValue("name"))
	reply(w, v, err)
}

func reply(w http.ResponseWriter, v any, err error) {
	switch {
	case err == nil:
		write(w, http.StatusOK, v)
	case errors.Is(err, ErrNoLink):
		write(w, http.StatusNotFound, Problem{Error: err.Error()})
	case errors.Is(err, ErrStopping):
		write(w, http.StatusServiceUnavailable, Problem{Error: err.Error()})
	default:
		write(w, http.StatusConflict, Problem{Error: err.Error()})
	}
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // a caller that has gone away is nobody's error
}

// Package client speaks to a daemon's control socket. A Client may be used concurrently.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"pc5d/daemon/control"
)

// Client is a caller of one control socket.
type Client struct {
	path string
	http *http.Client
}

// New makes a client; nothing is opened before the first call.
func New(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Status asks for everything.
func (c *Client) Status(ctx context.Context) (control.Status, error) {
	var s control.Status
	return s, c.call(ctx, http.MethodGet, "/v1/status", &s)
}

// Metrics writes the metrics as Prometheus reads them.
func (c *Client) Metrics(ctx context.Context, to io.Writer) error {
	resp, err := c.request(ctx, http.MethodGet, "/metrics", http.NoBody)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("pc5d answered %s", resp.Status)
	}
	_, err = io.Copy(to, resp.Body)
	return err
}

// Up establishes a link and waits for it at most so long.
func (c *Client) Up(ctx context.Context, link string, wait time.Duration) (control.LinkStatus, error) {
	return c.order(ctx, link, "up", wait)
}

// Down releases a link.
func (c *Client) Down(ctx context.Context, link string, wait time.Duration) (control.LinkStatus, error) {
	return c.order(ctx, link, "down", wait)
}

// Rekey makes new keys for a link.
func (c *Client) Rekey(ctx context.Context, link string, wait time.Duration) (control.LinkStatus, error) {
	return c.order(ctx, link, "rekey", wait)
}

// Update makes new keys and new identifiers for a link.
func (c *Client) Update(ctx context.Context, link string, wait time.Duration) (control.LinkStatus, error) {
	return c.order(ctx, link, "update", wait)
}

// Invite makes an invite.
func (c *Client) Invite(ctx context.Context, r control.InviteRequest) (control.Invite, error) {
	var i control.Invite
	return i, c.send(ctx, "/v1/invites", r, &i)
}

// Revoke ends an open invite.
func (c *Client) Revoke(ctx context.Context, link string) error {
	var r control.Removed
	return c.call(ctx, http.MethodPost, "/v1/invites/"+url.PathEscape(link)+"/revoke", &r)
}

// Join takes an invite up and waits for the link at most so long.
func (c *Client) Join(ctx context.Context, token, link string, wait time.Duration) (control.LinkStatus, error) {
	var s control.LinkStatus
	return s, c.send(ctx, "/v1/join?wait="+wait.String(), control.JoinRequest{Token: token, Link: link}, &s)
}

// Unpair removes a link that the daemon has learnt.
func (c *Client) Unpair(ctx context.Context, link string, wait time.Duration) error {
	var r control.Removed
	return c.call(ctx, http.MethodPost, "/v1/links/"+url.PathEscape(link)+"/unpair?wait="+wait.String(), &r)
}

// Forget ends the kept keys of a peer, "" all, and counts them.
func (c *Client) Forget(ctx context.Context, peer string) (int, error) {
	var f control.Forgotten
	err := c.call(ctx, http.MethodPost, "/v1/forget?"+url.Values{"peer": {peer}}.Encode(), &f)
	return f.Keys, err
}

// Reload lets the daemon read CAs, revocation lists and denied keys anew.
func (c *Client) Reload(ctx context.Context) (control.Reloaded, error) {
	var r control.Reloaded
	return r, c.call(ctx, http.MethodPost, "/v1/reload", &r)
}

// Solicit asks everybody at an address for the provisioned links of a service, and returns the
// state of the daemon when the wait is over.
func (c *Client) Solicit(ctx context.Context, to netip.AddrPort, service string, wait time.Duration) (control.Status, error) {
	var s control.Status
	query := url.Values{"to": {to.String()}, "service": {service}, "wait": {wait.String()}}
	return s, c.call(ctx, http.MethodPost, "/v1/solicit?"+query.Encode(), &s)
}

func (c *Client) order(ctx context.Context, link, verb string, wait time.Duration) (control.LinkStatus, error) {
	var s control.LinkStatus
	path := "/v1/links/" + url.PathEscape(link) + "/" + verb + "?wait=" + wait.String()
	return s, c.call(ctx, http.MethodPost, path, &s)
}

// send posts a body.
func (c *Client) send(ctx context.Context, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.exchange(ctx, http.MethodPost, path, bytes.NewReader(b), into)
}

func (c *Client) call(ctx context.Context, method, path string, into any) error {
	return c.exchange(ctx, method, path, http.NoBody, into)
}

func (c *Client) exchange(ctx context.Context, method, path string, body io.Reader, into any) error {
	resp, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	d := json.NewDecoder(resp.Body)
	if resp.StatusCode == http.StatusOK {
		return d.Decode(into)
	}
	var p control.Problem
	if err := d.Decode(&p); err != nil || p.Error == "" {
		return fmt.Errorf("pc5d answered %s", resp.Status)
	}
	return errors.New(p.Error)
}

// request sends one request; the caller closes the body of the answer.
func (c *Client) request(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://pc5d"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, c.explain(err)
	}
	return resp, nil
}

// explain says what to do when nobody answers.
func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no pc5d listens on %s: start it (systemctl start pc5d), or name its socket with --socket", c.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied: run pc5ctl as root or as the daemon's user", c.path)
	}
	return err
}

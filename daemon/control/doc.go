// Package control is the API of a running daemon: HTTP/1.1 and JSON on a Unix socket.
//
//	GET  /v1/status                       Status
//	GET  /metrics                         text, as Prometheus reads it
//	POST /v1/links/{name}/up?wait=20s     LinkStatus, once established, failed, or after wait
//	POST /v1/links/{name}/down            LinkStatus
//	POST /v1/links/{name}/rekey, update   LinkStatus
//	POST /v1/links/{name}/unpair          Removed
//	POST /v1/invites                      InviteRequest -> Invite
//	POST /v1/invites/{name}/revoke        Removed
//	POST /v1/join?wait=20s                JoinRequest -> LinkStatus
//
// An error is {"error": "…"} with a status of 400 or more. The JSON is a stable promise; it holds
// no secret but the token of a new invite, which travels in bodies and never in a URL. Only root and
// the daemon's own user get in, by the socket's mode and by SO_PEERCRED; both are administrators, who
// alone may change whom the node trusts. What the answers mean is the Service's business; it is
// called concurrently.
package control

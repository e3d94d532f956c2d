// Package control is the API of a running daemon: HTTP/1.1 and JSON on a Unix socket.
//
//	GET  /v1/status                       Status
//	POST /v1/links/{name}/up?wait=20s     LinkStatus, once established, failed, or after wait
//	POST /v1/links/{name}/down            LinkStatus
//
// An error is {"error": "…"} with a status of 400 or more. The JSON is a stable promise; it holds
// no secret. Only root and the daemon's own user get in, by the socket's mode and by
// SO_PEERCRED. What the answers mean is the Service's business; it is called concurrently.
package control

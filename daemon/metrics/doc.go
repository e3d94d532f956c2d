// Package metrics shows the status of a daemon as Prometheus reads it.
//
//	GET /metrics   text format 0.0.4: pc5_*, process_* and go_*
//
// One collector asks for the status when somebody scrapes, and at no other time: it adds nothing to the way
// of a packet, holds no lock while it writes, and an idle daemon does nothing for it. Labels are names of
// provisioned links and words of enumerations; what a peer says of itself is never one. The same Handler
// serves the control socket and, where the provisioning names an address, a Listener of its own, which
// answers anybody who reaches it. All of it may be called concurrently.
package metrics

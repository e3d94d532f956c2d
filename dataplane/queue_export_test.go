package dataplane

import "pc5d/dataplane/udp"

// Overtake is the first half of a step, Queued the second, as the worker does them.
func (e *Engine) Overtake(messages []udp.Message) {
	r := e.table.Load().sockets[Port{}].receive
	r.activity.begin()
	r.overtake(messages)
	r.activity.end()
}

// Queued opens messages that waited.
func (e *Engine) Queued(messages []udp.Message) {
	r := e.table.Load().sockets[Port{}].receive
	r.activity.begin()
	r.queued(messages)
	r.end(messages)
}

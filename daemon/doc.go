// Package daemon is the running system: it owns the socket's signalling side, one keeper for
// each provisioned link and one runner for each machine, and it wires them to the engine, the
// host and the control socket. It knows no message and no cryptography.
//
//	UDP -> Engine -> Node.receive --- broadcast L2 ID ---> door (Admission, stateless)
//	                       |                                  | cookie came back
//	                       +-- (destination, source) ------> runner (one Machine)
//	                                                          | notices
//	control socket -> Service -> keeper (one link) <----------+
//	                               | installs and retires key contexts
//	                               v
//	                             Engine
//
// Goroutines: Node.Run starts and waits for all of them. A runner owns its machine, a keeper
// its link; they speak by bounded channels, and a keeper never waits for a runner.
package daemon

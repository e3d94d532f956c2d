// Package daemon is the running system: it owns the socket's signalling side, one keeper for
// each provisioned link and one runner for each machine, and it wires them to the engine, the
// host and the control socket. It knows no message and no cryptography.
//
//	UDP -> Engine -> Node.Receive --- broadcast L2 ID ---> door (Admission, stateless)
//	                       |                                  | cookie came back
//	                       +-- (destination, source) ------> runner (one Machine)
//	                                                          | keys       | notices
//	                                                          v            v
//	                                                        Engine       keeper (one link)
//	                                                                       ^
//	control socket -> Service ---------------------------------------------+
//
// Concurrency: door, runner and keeper each own a task.Queue, whose tasks alone touch their
// fields, but for the door's Admission, which the goroutine that receives at the first port has;
// they speak by posting to each other and never wait. What faces the network is counted and
// bounded before it is posted. The same code runs under a simulation's scheduler.
package daemon

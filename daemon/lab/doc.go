// Package lab makes a private network of two hosts on this machine: two network namespaces
// without names, joined by a veth pair with addresses of its own, or by a Wire, which loses, doubles and
// reorders packets as a seed says. Daemons started in it end with
// it, and nothing is left behind even when the process is killed: a namespace without a name
// goes with its last user.
//
// A host does things on an operating-system thread of its own that lives in its namespace; the
// functions of one host run one after the other. It needs root.
package lab

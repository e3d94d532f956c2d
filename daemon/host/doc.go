// Package host is the seam to the operating system: addresses, routes and guard routes by
// netlink, and the notifications of systemd. It decides nothing.
//
// A guard is an unreachable route with the worst metric behind a protected prefix. It carries our
// own route protocol number and outlives the process: when the interface is gone, packets for the
// prefix meet it and not the default route. Where the underlay has a mark, default routes and their guards
// stand in a table of that number, and two rules lead there what has no mark and no better route in the
// main table; they outlive the process, too. Routes of others are never replaced.
//
// Moved tells of new addresses of the host.
//
// A Network may be used by one goroutine at a time.
package host

package control

// Handler is what a socket's connections reach.
var Handler = handler

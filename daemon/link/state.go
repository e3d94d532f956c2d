package link

// State is the state of a link (one value for both roles).
type State uint8

const (
	Idle         State = iota // nothing sent yet
	Requested                 // A: request sent; waits for an authentication request
	Auth                      // authentication runs; A also waits for the security mode command here
	SecurityMode              // B: command sent; waits for the complete
	AwaitAccept               // A: complete sent; waits for the accept
	Established               // user data flows
	Releasing                 // release request sent; waits for the accept
	Released                  // ended; the machine is to be discarded
)

var stateNames = [...]string{"idle", "requested", "auth", "security_mode", "await_accept", "established", "releasing", "released"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

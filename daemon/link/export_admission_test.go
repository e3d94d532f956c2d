package link

// MinResumed is what the test of T34 compares with, and ComparisonsPerSecond what that of T30 does.
const (
	MinResumed           = minResumed
	ComparisonsPerSecond = comparisonsPerSecond
)

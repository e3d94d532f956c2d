package link

// MinResumed is what the test of T34 compares with.
const MinResumed = minResumed

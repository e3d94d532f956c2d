//go:build !race

package nea_test

const raceEnabled = false

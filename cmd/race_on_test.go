//go:build race

package cmd_test

// raceDetector tells whether the tests, and so the binaries, are built with -race.
const raceDetector = true

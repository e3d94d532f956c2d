package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestBenchAuth: with --json standard output is one line, and people read the rest.
func TestBenchAuth(t *testing.T) {
	var out, told bytes.Buffer
	c := root()
	c.SetArgs([]string{"bench", "auth", "--json", "--time", "20ms"})
	c.SetOut(&out)
	c.SetErr(&told)
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var figures map[string]float64
	if err := json.Unmarshal(out.Bytes(), &figures); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Fatalf("got %q (%v), want one line of JSON", out.String(), err)
	}
	if len(figures) != 2 || figures["full_ratio"] <= 0 || figures["resume_per_second"] <= 0 {
		t.Errorf("got %v, want two figures above 0", figures)
	}
	if !strings.Contains(told.String(), "half-open") {
		t.Errorf("no table on standard error:\n%s", told.String())
	}
}

// TestBenchSuites: with --json standard output is one line with every suite, and people read the rest.
func TestBenchSuites(t *testing.T) {
	var out, told bytes.Buffer
	c := root()
	c.SetArgs([]string{"bench", "suites", "--json", "--time", "100us"})
	c.SetOut(&out)
	c.SetErr(&told)
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(out.Bytes()) || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("got %q, want one line of JSON", out.String())
	}
	for _, name := range []string{"aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"} {
		if !strings.Contains(out.String(), name) || !strings.Contains(told.String(), name) {
			t.Errorf("%s is missing in %q or in\n%s", name, out.String(), told.String())
		}
	}
}

package tundev

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// TestAhead: each interface is opened once, whoever takes it gets his own or its error, and those that nobody
// takes are closed.
func TestAhead(t *testing.T) {
	var mu sync.Mutex
	made := map[string]*Fake{}
	refused := errors.New("refused")
	open := func(w Wanted) (Device, error) {
		mu.Lock()
		defer mu.Unlock()
		if w.Name == "pc5-3" {
			return nil, refused
		}
		if made[w.Name] != nil {
			t.Errorf("%s is opened twice", w.Name)
		}
		made[w.Name] = NewFake(w.Name)
		return made[w.Name], nil
	}
	var wanted []Wanted
	for i := range 100 {
		wanted = append(wanted, Wanted{Name: fmt.Sprintf("pc5-%d", i), MTU: 1400})
	}
	a := OpenAhead(wanted, open)
	for _, w := range wanted[:50] {
		d, err := a.Take(w)
		if w.Name == "pc5-3" {
			if !errors.Is(err, refused) {
				t.Errorf("%s: %v", w.Name, err)
			}
			continue
		}
		if err != nil || d.Name() != w.Name {
			t.Fatalf("%s: %v, %v", w.Name, d, err)
		}
	}
	if d, err := a.Take(Wanted{Name: "pc5-later"}); err != nil || d.Name() != "pc5-later" {
		t.Errorf("one that was not wanted: %v, %v", d, err)
	}
	a.Close()
	for i, w := range wanted {
		if f := made[w.Name]; f != nil && f.isClosed() != (i >= 50) {
			t.Errorf("%s: closed %v", w.Name, f.isClosed())
		}
	}
	if d, err := a.Take(Wanted{Name: "pc5-last"}); err != nil || d.Name() != "pc5-last" {
		t.Errorf("after Close: %v, %v", d, err)
	}
}

package control_test

import (
	"reflect"
	"testing"

	"pc5d/daemon/control"
	"pc5d/daemon/keys"
)

// TestT71_NoSecretInAnswers: no type that the control socket sends or takes holds a secret, or octets
// in which one could be.
func TestT71_NoSecretInAnswers(t *testing.T) {
	service := reflect.TypeFor[control.Service]()
	for i := range service.NumMethod() {
		m := service.Method(i).Type
		for n := range m.NumOut() {
			walk(t, m.Out(n), service.Method(i).Name)
		}
		for n := range m.NumIn() {
			walk(t, m.In(n), service.Method(i).Name)
		}
	}
}

// walk visits a type and all that it holds.
func walk(t *testing.T, of reflect.Type, path string) {
	t.Helper()
	if of == reflect.TypeFor[keys.Secret]() || of.PkgPath() == reflect.TypeFor[keys.Secret]().PkgPath() {
		t.Errorf("%s is of type %v", path, of)
	}
	switch of.Kind() {
	case reflect.Slice, reflect.Array:
		if of.Elem().Kind() == reflect.Uint8 && of.PkgPath() == "" {
			t.Errorf("%s holds raw octets", path)
		}
		walk(t, of.Elem(), path+"[]")
	case reflect.Pointer, reflect.Map, reflect.Chan:
		walk(t, of.Elem(), path+"*")
	case reflect.Struct:
		if of.PkgPath() == "time" || of.PkgPath() == "net/netip" {
			return
		}
		for i := range of.NumField() {
			walk(t, of.Field(i).Type, path+"."+of.Field(i).Name)
		}
	}
}

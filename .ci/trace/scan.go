package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tests are the names of tests by the id that they carry, in the order of the files.
type tests map[id][]string

// scan reads every test file below root, whatever its build constraints.
func scan(root string) (tests, error) {
	found := tests{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := strings.HasPrefix(d.Name(), ".") && path != root
			if hidden || d.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		found.file(filepath.ToSlash(folder), f)
		return nil
	})
	return found, err
}

// file adds the tests of one file and their subtests.
func (t tests) file(folder string, f *ast.File) {
	for _, declaration := range f.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || !isTest(function) {
			continue
		}
		name := folder + "." + function.Name.Name
		t.add(function.Name.Name, name)
		for _, subtest := range subtests(function) {
			t.add(subtest, name+"/"+strings.ReplaceAll(subtest, " ", "_"))
		}
	}
}

// add enters a test under each id that its own name carries.
func (t tests) add(own, name string) {
	seen := map[id]bool{}
	for _, i := range tokens(own) {
		if !seen[i] {
			seen[i] = true
			t[i] = append(t[i], name)
		}
	}
}

// isTest tells whether the go tool would run a function as a test or fuzz target.
func isTest(f *ast.FuncDecl) bool {
	if f.Recv != nil || len(f.Type.Params.List) != 1 || f.Type.Results != nil {
		return false
	}
	for _, prefix := range []string{"Test", "Fuzz"} {
		if rest, ok := strings.CutPrefix(f.Name.Name, prefix); ok {
			first, _ := utf8.DecodeRuneInString(rest)
			return rest == "" || !unicode.IsLower(first)
		}
	}
	return false
}

// subtests are the literal names given to Run(name, function) inside a test, at any depth.
func subtests(f *ast.FuncDecl) []string {
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 2 {
			return true
		}
		s, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != "Run" {
			return true
		}
		literal, ok := call.Args[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		if name, err := strconv.Unquote(literal.Value); err == nil {
			names = append(names, name)
		}
		return true
	})
	return names
}

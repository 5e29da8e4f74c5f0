package lazyregexp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestEveryExpression compiles each expression of the program, as nothing else would find a wrong one before its first use.
func TestEveryExpression(t *testing.T) {
	found := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			fn, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := fn.X.(*ast.Ident); !ok || x.Name != "lazyregexp" {
				return true
			}
			found++
			if _, err := regexp.Compile(textOf(call.Args[0])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 50 {
		t.Errorf("found %d expressions, want those of the whole program", found)
	}
}

// textOf returns the text of an expression; a name in one that is put together stands as the letter x.
func textOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		return textOf(e.X) + textOf(e.Y)
	}
	return "x"
}

func TestRegexp(t *testing.T) {
	re := New(`(\w)=(\d)`)
	if !re.MatchString("a=1") || re.FindString("x a=1") != "a=1" || re.ReplaceAllString("a=1", "$2") != "1" {
		t.Error("an expression compiled late answers as one compiled early")
	}
	if got := re.FindAllStringSubmatch("a=1 b=2", -1); len(got) != 2 || got[1][2] != "2" {
		t.Errorf("got %v", got)
	}
}

package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// read counts each folder below root that holds Go code, in the order of their
// names.
func read(root string) ([]*figures, error) {
	var all []*figures
	err := filepath.WalkDir(root, func(folder string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if folder != root && skipped(entry.Name()) {
			return filepath.SkipDir
		}
		p, err := readPackage(folder)
		if err != nil {
			return err
		}
		if len(p.fileLines)+p.testLines > 0 {
			p.name, err = filepath.Rel(root, folder)
			all = append(all, p)
		}
		return err
	})
	return all, err
}

func skipped(folder string) bool {
	return folder == "testdata" || folder == "vendor" || strings.HasPrefix(folder, ".")
}

// readPackage counts one folder.
func readPackage(folder string) (*figures, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	p := &figures{}
	files := token.NewFileSet()
	var code []*ast.File
	for _, name := range paths {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(name, "_test.go") {
			p.testLines += bytes.Count(text, []byte("\n"))
			continue
		}
		file, err := parser.ParseFile(files, name, text, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("parse: %w", err)
		}
		if !ast.IsGenerated(file) {
			code = append(code, file)
			p.countText(text)
			p.countSyntax(files, file)
		}
	}
	p.countReferences(files, code)
	return p, nil
}

// tabColumns is how wide a tab is where lines are measured.
const tabColumns = 4

func (f *figures) countText(text []byte) {
	lines := 0
	for line := range bytes.Lines(text) {
		lines++
		line = bytes.TrimRight(line, "\n")
		width := utf8.RuneCount(line) + (tabColumns-1)*bytes.Count(line, []byte("\t"))
		if width > columns {
			f.long++
		}
	}
	f.fileLines = append(f.fileLines, lines)
}

func (f *figures) countSyntax(files *token.FileSet, file *ast.File) {
	span := func(n ast.Node) int {
		return files.Position(n.End()).Line - files.Position(n.Pos()).Line + 1
	}
	for _, group := range file.Comments {
		f.comments += span(group)
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			f.funcLines = append(f.funcLines, span(d))
			if d.Body != nil && nesting(d.Body) >= deepNesting {
				f.deep++
			}
			if exportedReceiver(d) {
				f.export(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			f.countExports(d)
		}
	}
}

// nesting is how many statements with a block stand within each other.
func nesting(n ast.Node) int {
	deepest := 0
	for child := range children(n) {
		depth := nesting(child)
		switch child.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			depth++
		}
		if parent, ok := n.(*ast.IfStmt); ok && parent.Else == child {
			depth-- // "else if" is no deeper than its "if"
		}
		deepest = max(deepest, depth)
	}
	return deepest
}

// children yields the nodes directly below n.
func children(n ast.Node) func(yield func(ast.Node) bool) {
	return func(yield func(ast.Node) bool) {
		more := true
		ast.Inspect(n, func(child ast.Node) bool {
			if child == n {
				return true
			}
			if child != nil && more {
				more = yield(child)
			}
			return false
		})
	}
}

// exportedReceiver says whether a function can be reached from outside by its
// receiver's type, which a function without one always can.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch inner := t.(type) {
		case *ast.StarExpr:
			t = inner.X
		case *ast.IndexExpr:
			t = inner.X
		case *ast.Ident:
			return inner.IsExported()
		default:
			return false
		}
	}
}

func (f *figures) countExports(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			f.export(s.Name, d.Doc, s.Doc, s.Comment)
		case *ast.ValueSpec:
			for _, name := range s.Names {
				f.export(name, d.Doc, s.Doc, s.Comment)
			}
		}
	}
}

func (f *figures) export(name *ast.Ident, docs ...*ast.CommentGroup) {
	if !name.IsExported() {
		return
	}
	f.exports++
	if !slices.ContainsFunc(docs, func(doc *ast.CommentGroup) bool { return doc != nil }) {
		f.noDoc++
	}
}

// countReferences tells references within a file from those that leave it. It
// looks at unexported functions and methods whose name the package declares
// once: only of those does the name alone say which is meant.
func (f *figures) countReferences(files *token.FileSet, code []*ast.File) {
	home := homes(files, code)
	for _, file := range code {
		from := files.Position(file.Pos()).Filename
		for _, name := range references(file) {
			switch at, known := home[name.Name]; {
			case !known || at.declared == name:
			case at.path == from:
				f.inFile++
			default:
				f.crossFile++
			}
		}
	}
}

// references are the names in a file that may be a function's or a method's: not
// those of variables, types and imports, nor what follows an import's.
func references(file *ast.File) []*ast.Ident {
	imports := importNames(file)
	var all []*ast.Ident
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			pkg, ok := n.X.(*ast.Ident)
			return !ok || pkg.Obj != nil || !imports[pkg.Name]
		case *ast.KeyValueExpr:
			if _, field := n.Key.(*ast.Ident); field {
				ast.Inspect(n.Value, visit)
				return false
			}
		case *ast.Ident:
			if n.Obj == nil || n.Obj.Kind == ast.Fun {
				all = append(all, n)
			}
		}
		return true
	}
	ast.Inspect(file, visit)
	return all
}

// importNames are the names by which a file knows its imports, as their paths say.
func importNames(file *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, spec := range file.Imports {
		name := path.Base(strings.Trim(spec.Path.Value, `"`))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = true
	}
	return names
}

// place is where a function is declared.
type place struct {
	path     string
	declared *ast.Ident
}

// homes are the places of the functions that a name alone tells apart, from other
// functions and from fields.
func homes(files *token.FileSet, code []*ast.File) map[string]place {
	home, times := map[string]place{}, map[string]int{}
	for _, file := range code {
		ast.Inspect(file, func(n ast.Node) bool {
			if fields, ok := n.(*ast.StructType); ok {
				for _, field := range fields.Fields.List {
					for _, name := range field.Names {
						times[name.Name]++
					}
				}
			}
			return true
		})
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			times[d.Name.Name]++
			if !d.Name.IsExported() && d.Name.Name != "main" && d.Name.Name != "init" {
				home[d.Name.Name] = place{files.Position(d.Pos()).Filename, d.Name}
			}
		}
	}
	for name, n := range times {
		if n > 1 {
			delete(home, name)
		}
	}
	return home
}

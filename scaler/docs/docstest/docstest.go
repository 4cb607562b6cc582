// Package docstest reads the examples in the pages for users and in the README, so
// that tests can check each of them. A fenced block says in its info string what it
// is: its language, and then what it is an example of.
//
//	sh             commands
//	yaml           a whole description
//	yaml group     keys of a group of a description
//	yaml app       keys of a description
//	yaml config    keys of scalerd's configuration file
//	LANG FILE.EXT  a file that the page's commands use
package docstest

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// Root is the folder of the repository.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
}

// Pages are the paths of the README and of the pages for users, from the root.
func Pages(t testing.TB) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(Root(t), "templates/docs/*.md"))
	if err != nil || len(pages) < 2 {
		t.Fatalf("pages = %v, %v", pages, err)
	}
	for i := range pages {
		pages[i] = "templates/docs/" + filepath.Base(pages[i])
	}
	return append([]string{"README.md"}, pages...)
}

// Block is a fenced block of a page.
type Block struct {
	Page string
	// Line is that of its first line of text, from 1.
	Line int
	Lang string
	// Of is what follows the language: what it is an example of, or a file's name.
	Of   string
	Text string
}

// File reports whether the block is a file that commands use.
func (b Block) File() bool { return strings.Contains(b.Of, ".") }

// Blocks are the fenced blocks of a page, in its order.
func Blocks(t testing.TB, page string) []Block {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(Root(t), page))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []Block
	err = ast.Walk(goldmark.DefaultParser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		fence, ok := n.(*ast.FencedCodeBlock)
		if !ok || !entering || fence.Lines().Len() == 0 {
			return ast.WalkContinue, nil
		}
		b := Block{Page: page, Line: 1 + bytes.Count(source[:fence.Lines().At(0).Start], []byte("\n"))}
		if fence.Info != nil {
			info := strings.Fields(string(fence.Info.Value(source)))
			b.Lang, b.Of = info[0], strings.Join(info[1:], " ")
		}
		b.Text = string(fence.Lines().Value(source))
		blocks = append(blocks, b)
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// Command is one command of a block.
type Command struct {
	Page string
	Line int
	// Words are the program's base name and its arguments.
	Words []string
	// Out is the file that its output goes to; empty for none.
	Out string
}

// Commands are those of a page's sh blocks, with whatever shell grammar is around
// them. A variable that is not set is left out.
func Commands(t testing.TB, page string) []Command {
	t.Helper()
	var commands []Command
	for _, b := range Blocks(t, page) {
		if b.Lang != "sh" {
			continue
		}
		parsed, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(b.Text), page)
		if err != nil {
			t.Errorf("%s, block at line %d: %v", page, b.Line, err)
			continue
		}
		syntax.Walk(parsed, func(n syntax.Node) bool {
			stmt, ok := n.(*syntax.Stmt)
			if !ok {
				return true
			}
			call, ok := stmt.Cmd.(*syntax.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			words, err := expand.Fields(&expand.Config{}, call.Args...)
			if err != nil {
				t.Errorf("%s:%d: %v", page, b.Line+int(stmt.Pos().Line())-1, err)
				return true
			}
			c := Command{Page: page, Line: b.Line + int(stmt.Pos().Line()) - 1, Words: words}
			c.Words[0] = filepath.Base(c.Words[0])
			for _, r := range stmt.Redirs {
				if r.Op == syntax.RdrOut {
					c.Out, _ = expand.Literal(&expand.Config{}, r.Word)
				}
			}
			commands = append(commands, c)
			return true
		})
	}
	return commands
}

// Of are the commands of a program, by its name.
func Of(commands []Command, program string) []Command {
	return slices.DeleteFunc(slices.Clone(commands), func(c Command) bool { return c.Words[0] != program })
}

package strictyaml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/scanner"
	"github.com/goccy/go-yaml/token"
)

// syntaxTree returns the body of the source's first document, nil where it has
// none. It is the boundary at which a panic of the YAML library, which odd texts
// cause, turns into a mistake.
func syntaxTree(source string) (body ast.Node, mistakes Mistakes) {
	defer func() {
		if r := recover(); r != nil {
			body, mistakes = nil, Mistakes{*syntaxMistake(fmt.Sprint(r), nil)}
		}
	}()
	tokens, mistakes := tokenize(source)
	if tokens == nil {
		return nil, mistakes
	}
	body, mistake := parseTokens(tokens)
	if mistake != nil {
		return nil, append(mistakes, *mistake)
	}
	return body, mistakes
}

// tokenize splits the source into the tokens of its first document. It returns no
// tokens where they cannot be parsed, or not in bounded time.
func tokenize(source string) (token.Tokens, Mistakes) {
	var s scanner.Scanner
	s.Init(source)
	tokens := token.Tokens{}
	for {
		next, err := s.Scan()
		tokens.Add(next...)
		if err != nil {
			break
		}
	}
	if invalid := tokens.InvalidToken(); invalid != nil {
		return nil, Mistakes{*syntaxMistake(invalid.Error, invalid)}
	}
	tokens, mistakes := firstDocument(tokens)
	if m := new(guard).check(tokens); m != nil {
		return nil, Mistakes{*m}
	}
	return tokens, mistakes
}

// firstDocument cuts the tokens off where a second document begins.
func firstDocument(tokens token.Tokens) (token.Tokens, Mistakes) {
	content, ended := false, false
	for i, tk := range tokens {
		switch tk.Type {
		case token.CommentType:
			continue
		case token.DocumentEndType:
			ended = true
			continue
		case token.DocumentHeaderType:
			if !content {
				content = true
				continue
			}
			ended = true
		}
		if ended {
			return tokens[:i], Mistakes{tokenMistake(tk, "begins a second document", "keep one document in a file")}
		}
		content = true
	}
	return tokens, nil
}

// parseTokens returns the body of the only document, nil where it has none.
func parseTokens(tokens token.Tokens) (ast.Node, *Mistake) {
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var at yaml.Error
		if errors.As(err, &at) {
			return nil, syntaxMistake(at.GetMessage(), at.GetToken())
		}
		return nil, syntaxMistake(err.Error(), nil)
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			return doc.Body, nil
		}
	}
	return nil, nil
}

func tokenMistake(tk *token.Token, what, fix string) Mistake {
	m := Mistake{Line: 1, Column: 1, What: what, Fix: fix}
	if tk != nil && tk.Position != nil {
		m.Line, m.Column = max(tk.Position.Line, 1), max(tk.Position.Column, 1)
	}
	return m
}

// syntaxMistake says what the YAML library says, and what to do about it.
func syntaxMistake(message string, tk *token.Token) *Mistake {
	for _, known := range []struct{ part, what, fix string }{
		{"found character '\t'", "is indented with a tab", "indent with spaces"},
		{"tab character", message, "use spaces"},
		{"']' not found", "[ is not closed", `add the missing "]"`},
		{"end token '}'", "{ is not closed", `add the missing "}"`},
		{"end character of", "the quotes are not closed", "add the missing quote"},
		{"mapping value is not allowed", `a second ": " stands on this line`, `put text that holds ": " in quotes`},
		{"reserved character", message, "put the text in quotes"},
		{"escape character", message, `write a backslash as "\\", or use single quotes`},
		{"value is not allowed in this context", "does not belong to what stands above", "mend the indentation or the quotes"},
		{"non-map value", "is not of the form key: value", `write "key: value"`},
	} {
		if strings.Contains(message, known.part) {
			m := tokenMistake(tk, known.what, known.fix)
			return &m
		}
	}
	m := tokenMistake(tk, fmt.Sprintf("is not valid YAML: %s", message), "mend the indentation, quotes or brackets")
	return &m
}

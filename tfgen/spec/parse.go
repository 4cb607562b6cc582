package spec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Check finds mistakes in a description, which may have others: a value that is
// wrong for another reason is not the check's business. The document tells where
// each path stands.
type Check func(app *Application, doc *strictyaml.Document) strictyaml.Mistakes

// Load reads the description in the file at path; see Parse.
func Load(path string) (*Application, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	return Parse(path, text)
}

// Parse reads a description, fills in the defaults and checks it. The file is
// named in messages, and paths in the description count from its folder. A
// description with mistakes is answered with all of them at once, as
// strictyaml.Mistakes. The programs of rules and the PromQL of queries are not
// checked here but by the packages that run them, which the caller passes as
// checks; their mistakes are listed with the others.
func Parse(file string, text []byte, checks ...Check) (*Application, error) {
	app := new(Application)
	doc, err := strictyaml.Decode(file, text, app)
	return finish(app, doc, err, checks)
}

// Build is Parse for a description that was made from another document: root is a
// tree with the keys of a description, whose mistakes stand where the nodes that
// it was made from do. What was found wrong with that document already is in
// mistakes, and answered with the others.
func Build(root *strictyaml.Node, mistakes strictyaml.Mistakes, checks ...Check) (*Application, error) {
	app := new(Application)
	doc, err := root.Decode(app)
	var more strictyaml.Mistakes
	if err != nil && !errors.As(err, &more) {
		return nil, err
	}
	if all := append(mistakes, more...); len(all) > 0 {
		err = all
	}
	return finish(app, doc, err, checks)
}

// finish fills in the defaults of a decoded description and checks it; err is what
// was wrong with its form.
func finish(app *Application, doc *strictyaml.Document, err error, checks []Check) (*Application, error) {
	var mistakes strictyaml.Mistakes
	if err != nil && !errors.As(err, &mistakes) {
		return nil, err
	}
	if doc == nil {
		return nil, mistakes
	}
	app.Dir = filepath.Dir(doc.File())
	setDefaults(app, doc.Has)
	c := &checker{doc: doc, mistakes: mistakes}
	c.application(app)
	for _, check := range checks {
		c.mistakes = append(c.mistakes, check(app, doc)...)
	}
	if len(c.mistakes) > 0 {
		c.mistakes.Sort()
		return nil, c.mistakes
	}
	return app, nil
}

package strictyaml

// Document knows where the keys of a decoded document stand, for checks that come
// after decoding. Paths are written groups[0].min; see JoinKey and JoinIndex. It
// is safe for concurrent use.
type Document struct {
	file string
	root *place
}

// place is where one key or item stands. Only its steps are kept, not its path,
// because paths of nested keys add up to far more than the document.
type place struct {
	parent       *place
	key          string
	index        int
	isIndex      bool
	depth        int
	line, column int
	found        bool // and not null
	wrong        bool // a mistake was reported here or below
	keys         map[string]*place
	items        []*place
}

// At returns where path stands, counted from 1, and the place of the nearest
// parent where the document does not have it.
func (d *Document) At(path string) (line, column int) {
	p, _ := d.root.find(path)
	return p.line, p.column
}

// Has reports whether the document sets path, to something other than null.
func (d *Document) Has(path string) bool {
	p, exact := d.root.find(path)
	return exact && p.found
}

// Wrong reports whether Decode found a mistake at path or below it, so that the
// value there is not what the writer meant.
func (d *Document) Wrong(path string) bool {
	p, exact := d.root.find(path)
	return exact && p.wrong
}

// Mistake is a mistake at the path.
func (d *Document) Mistake(path, what, fix string) Mistake {
	line, column := d.At(path)
	return Mistake{File: d.file, Line: line, Column: column, Path: path, What: what, Fix: fix}
}

// find returns the place of the path, or of its nearest parent.
func (p *place) find(path string) (at *place, exact bool) {
	for path != "" {
		key, index, isIndex, rest := nextStep(path)
		next := p.keys[key]
		if isIndex {
			next = nil
			if index >= 0 && index < len(p.items) {
				next = p.items[index]
			}
		}
		if next == nil {
			return p, false
		}
		p, path = next, rest
	}
	return p, true
}

func (p *place) child(line, column int) *place {
	return &place{parent: p, depth: p.depth + 1, line: line, column: column, found: true}
}

// addKey returns the place of a key of p.
func (p *place) addKey(key string, line, column int) *place {
	c := p.child(line, column)
	c.key = key
	if p.keys == nil {
		p.keys = map[string]*place{}
	}
	p.keys[key] = c
	return c
}

// addItem returns the place of the next item of p.
func (p *place) addItem(line, column int) *place {
	c := p.child(line, column)
	c.index, c.isIndex = len(p.items), true
	p.items = append(p.items, c)
	return c
}

func (p *place) path() string {
	switch {
	case p.parent == nil:
		return ""
	case p.isIndex:
		return JoinIndex(p.parent.path(), p.index)
	default:
		return JoinKey(p.parent.path(), shorten(p.key))
	}
}

func (p *place) markWrong() {
	for ; p != nil && !p.wrong; p = p.parent {
		p.wrong = true
	}
}

package demo

import (
	"fmt"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// anyPort lets the kernel choose the port of a balancer, so that two demos, or
// one on a busy machine, do not meet.
const anyPort = "127.0.0.1:0"

// description is the one that is submitted.
type description struct {
	app  *spec.Application
	text []byte
}

// newDescription reads a description and moves its balancers to free ports.
// Mistakes are answered as strictyaml.Mistakes.
func newDescription(file string, text []byte) (description, error) {
	rows := strings.Split(string(text), "\n")
	move := func(app *spec.Application, doc *strictyaml.Document) strictyaml.Mistakes {
		var mistakes strictyaml.Mistakes
		for i, group := range app.Groups {
			path := fmt.Sprintf("groups[%d].local.balancer", i)
			if doc.Wrong(path) {
				continue
			}
			line, _ := doc.At(path)
			switch {
			case group.Cloud != spec.CloudLocal || group.Local == nil:
				mistakes = append(mistakes, doc.Mistake(fmt.Sprintf("groups[%d].cloud", i),
					"the demo runs everything on this machine", "write cloud: local"))
			case group.Local.Balancer == "":
				mistakes = append(mistakes, doc.Mistake(path,
					"the demo sends its load through a balancer", "write balancer: 127.0.0.1:18080"))
			case !strings.Contains(rows[line-1], group.Local.Balancer):
				mistakes = append(mistakes, doc.Mistake(path,
					"the demo can't replace this address", "write it plainly, as in balancer: 127.0.0.1:18080"))
			default:
				rows[line-1] = strings.Replace(rows[line-1], group.Local.Balancer, anyPort, 1)
			}
		}
		return mistakes
	}
	if _, err := spec.Parse(file, text, move); err != nil {
		return description{}, err
	}
	moved := []byte(strings.Join(rows, "\n"))
	app, err := spec.Parse(file, moved)
	return description{app, moved}, err
}

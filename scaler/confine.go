package scaler

import (
	"fmt"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
	"github.com/scalerd/scalerd/tfgen/tosca"
)

// Confine finds what in a description names files or programs of the machine that
// scalerd runs on, which who submits it from elsewhere may not use. It reads none
// of them. A description with other mistakes is answered with those too.
func Confine(source Source) error {
	var err error
	if tosca.Is(source.Text) {
		_, _, err = tosca.Parse(tosca.Source{File: source.File, Text: source.Text, Params: source.Params, Name: source.Name}, localFiles)
	} else {
		_, err = spec.Parse(source.File, source.Text, localFiles)
	}
	return err
}

func localFiles(app *spec.Application, doc *strictyaml.Document) strictyaml.Mistakes {
	var mistakes strictyaml.Mistakes
	refuse := func(path, file string) {
		mistakes = append(mistakes, doc.Mistake(path, fmt.Sprintf("names a file of scalerd's machine (%s), and the description comes from elsewhere", file),
			"submit it there, through the socket"))
	}
	if p := app.Monitoring.Prometheus; p != nil {
		// A token or password would be sent to whatever address the description names.
		for _, one := range [][2]string{{"file_sd", p.FileSD}, {"bearer_token_file", p.BearerTokenFile}, {"password_file", p.PasswordFile},
			{"ca_file", p.CAFile}, {"cert_file", p.CertFile}, {"key_file", p.KeyFile}} {
			if one[1] != "" {
				refuse("monitoring.prometheus."+one[0], one[1])
			}
		}
	}
	for i, g := range app.Groups {
		path := fmt.Sprintf("groups[%d]", i)
		if g.CloudInit.Base != "" {
			refuse(path+".cloud_init.base", g.CloudInit.Base)
		}
		if g.Module != nil && localModule(g.Module.Source) {
			refuse(path+".module.source", g.Module.Source)
		}
		if g.Drain != nil && len(g.Drain.Command) > 0 {
			mistakes = append(mistakes, doc.Mistake(path+".drain.command", fmt.Sprintf("runs a program on scalerd's machine (%s), and the description comes from elsewhere", g.Drain.Command[0]),
				"use drain.url, or submit it there, through the socket"))
		}
	}
	return mistakes
}

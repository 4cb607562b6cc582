package tosca
import ("testing";"os";"path/filepath";"fmt";"github.com/goccy/go-yaml")
func TestScratch(t *testing.T) {
	files,_ := filepath.Glob(filepath.Join(adts(t), "*.yaml"))
	for _, f := range files {
		b,_ := os.ReadFile(f)
		if os.Getenv("RAW")=="" { b = []byte(fill(string(b))) }
		if o := os.Getenv("ONLY"); o != "" && filepath.Base(f) != o { continue }
		app, notes, err := Parse(Source{File: filepath.Base(f), Text: b})
		fmt.Println("=====", filepath.Base(f), Is(b))
		for _, n := range notes { fmt.Println("  note", n) }
		fmt.Println("  err:", err)
		if app != nil {
			fmt.Println("  app", app.Name, len(app.Groups), "groups", len(app.NotDeployed), "kept")
			if os.Getenv("ONLY") != "" { y,_ := yaml.Marshal(app); fmt.Println(string(y)) }
		}
	}
}

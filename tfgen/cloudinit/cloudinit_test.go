package cloudinit_test

import (
	"os/exec"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/templates"
	"github.com/scalerd/scalerd/tfgen/cloudinit"
)

const base = `#cloud-config
# A comment of the base.
hostname: base
packages: [a, b]
apt:
  conf: x
  sources:
    one: {source: first}
runcmd:
  - base
`

func TestDocumentsAreJoined(t *testing.T) {
	for _, tt := range []struct{ name, group, appended, inserted string }{
		{"nothing", "", "hostname: base\npackages: [a, b]\napt:\n  conf: x\n  sources:\n    one: {source: first}\nruncmd:\n  - base\n", "same"},
		{"only comments", "#cloud-config\n\n# none\n", "hostname: base\npackages: [a, b]\napt:\n  conf: x\n  sources:\n    one: {source: first}\nruncmd:\n  - base\n", "same"},
		{"a list", "runcmd: [mine]\n",
			"hostname: base\npackages: [a, b]\napt:\n  conf: x\n  sources:\n    one: {source: first}\nruncmd:\n  - base\n  - mine\n",
			"hostname: base\npackages: [a, b]\napt:\n  conf: x\n  sources:\n    one: {source: first}\nruncmd:\n  - mine\n  - base\n"},
		{"a text", "hostname: mine\n", "hostname: mine\npackages: [a, b]\napt:\n  conf: x\n  sources:\n    one: {source: first}\nruncmd:\n  - base\n", "same"},
		{"a mapping", "apt: {sources: {two: {source: second}}, conf: y}\n",
			"hostname: base\npackages: [a, b]\napt:\n  conf: y\n  sources:\n    one: {source: first}\n    two: {source: second}\nruncmd:\n  - base\n", "same"},
		{"another key", "ssh_pwauth: no\n", "hostname: base\npackages: [a, b]\napt:\n  conf: x\n  sources:\n    one: {source: first}\nruncmd:\n  - base\nssh_pwauth: no\n", "same"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.inserted == "same" {
				tt.inserted = tt.appended
			}
			got, err := cloudinit.Append([]byte(base), []byte(tt.group))
			if want := "#cloud-config\n" + tt.appended; err != nil || string(got) != want {
				t.Errorf("Append() = %v\n%s\nwant\n%s", err, got, want)
			}
			got, err = cloudinit.Insert([]byte(base), []byte(tt.group))
			if want := "#cloud-config\n" + tt.inserted; err != nil || string(got) != want {
				t.Errorf("Insert() = %v\n%s\nwant\n%s", err, got, want)
			}
		})
	}
}

func TestValuesAreKeptAsTheyWereWritten(t *testing.T) {
	const written = `#cloud-config
package_update: yes
write_files:
  - path: /etc/x
    permissions: 0644
    owner: 'root:root'
    content: |
      a: {{node_id}}
        "b"
  - {path: /y, content: "tab\there", defer: true}
runcmd:
  - [sh, -c, 'echo "${HOME}" 1.10 0x1F']
  - >-
    folded text
`
	got, err := cloudinit.Alone([]byte(written))
	if err != nil || string(got) != written {
		t.Errorf("Alone() = %v\n%s\nwant\n%s", err, got, written)
	}
}

func TestAliasesAreWrittenOut(t *testing.T) {
	got, err := cloudinit.Insert([]byte("runcmd: [base]\n"), []byte("x-files: &f [one, two]\nruncmd: *f\n"))
	if want := "#cloud-config\nruncmd: [one, two, base]\nx-files: [one, two]\n"; err != nil || string(got) != want {
		t.Errorf("Insert() = %v\n%s\nwant\n%s", err, got, want)
	}
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 10; i++ {
		ref := strings.TrimSuffix(strings.Repeat("*a"+string(rune('0'+i-1))+", ", 10), ", ")
		bomb += "a" + string(rune('0'+i)) + ": &a" + string(rune('0'+i)) + " [" + ref + "]\n"
	}
	if _, err := cloudinit.Alone([]byte(bomb)); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("Alone() of a billion laughs = %v, want it refused", err)
	}
	if _, err := cloudinit.Alone([]byte("a: &a [*a]\n")); err == nil {
		t.Error("Alone() of an alias to itself = nil, want it refused")
	}
}

func TestCheckReportsAllMistakes(t *testing.T) {
	for _, tt := range []struct{ name, document, want string }{
		{"nothing", "", ""},
		{"what cloud-init takes", "packages: [nginx]\nruncmd: [ls, [ls, -l]]\nwrite_files: [{path: /x}]\nusers: [default]\nmy_module: {x: y}\n", ""},
		{"a text", "just text", "is no mapping; a cloud-config has keys such as packages and runcmd"},
		{"no YAML", "a: [", "is not YAML: line 1: did not find expected node content"},
		{"two documents", "a: 1\n---\nb: 2\n", "holds several YAML documents; cloud-init reads one"},
		{"a key twice", "runcmd: [a]\npackages: [b]\nruncmd: [c]\n", "line 3: has runcmd twice"},
		{"a mistyped key", "#cloud-config\nruncdm: [a]\n", "line 2: runcdm is not a key of cloud-init; did you mean runcmd?"},
		{"a list that is none", "packages: nginx\n", "line 1: packages is not a list; write its items below it, each after a dash"},
		{"a command that YAML takes apart", "runcmd:\n  - echo note: done\n", `line 2: an item of runcmd is neither a text nor a list; quote a command that holds ": "`},
		{"a file without a path", "write_files: [{content: x}]\npackges: []\n",
			"line 1: an item of write_files has no path\nline 2: packges is not a key of cloud-init; did you mean packages?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := cloudinit.Check([]byte(tt.document)); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Check() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBaseTemplateIsSound(t *testing.T) {
	if err := cloudinit.Check(templates.CloudInit); err != nil {
		t.Errorf("Check() of the base template = %v", err)
	}
	var content struct {
		Runcmd []any `yaml:"runcmd"`
		Files  []struct {
			Path, Permissions, Content string
		} `yaml:"write_files"`
	}
	if err := yaml.Unmarshal(templates.CloudInit, &content); err != nil {
		t.Fatal(err)
	}
	if len(content.Runcmd) != 1 || len(content.Files) != 1 || !strings.Contains(content.Files[0].Content, "node_exporter") {
		t.Fatalf("the base template has %d commands and %d files, want one of each that installs node_exporter", len(content.Runcmd), len(content.Files))
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh to check the script with")
	}
	check := exec.Command(sh, "-n")
	check.Stdin = strings.NewReader(content.Files[0].Content)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("the script of the base template: %v\n%s", err, out)
	}
}

// TestJoiningKeepsWhatBothSay draws documents and checks that nothing of them gets
// lost, in whichever order.
func TestJoiningKeepsWhatBothSay(t *testing.T) {
	item := rapid.StringMatching(`[a-z0-9 :#'"{}-]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.SliceOfN(item, 1, 5).Draw(t, "first")
		second := rapid.SliceOfN(item, 1, 5).Draw(t, "second")
		document := func(items []string) []byte {
			text, err := yaml.Marshal(map[string]any{"bootcmd": items})
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		for name, join := range map[string]func(base, group []byte) ([]byte, error){"append": cloudinit.Append, "insert": cloudinit.Insert} {
			text, err := join(document(first), document(second))
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Bootcmd []string }
			if err := yaml.Unmarshal(text, &got); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			want := append(append([]string{}, first...), second...)
			if name == "insert" {
				want = append(append([]string{}, second...), first...)
			}
			if strings.Join(got.Bootcmd, "\n") != strings.Join(want, "\n") {
				t.Fatalf("%s: %q, want %q", name, got.Bootcmd, want)
			}
		}
	})
}

func FuzzAppend(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("? [a, b]\n: c\n<<: {x: y}\n"))
	f.Fuzz(func(t *testing.T, group []byte) {
		joined, err := cloudinit.Append([]byte(base), group)
		if err != nil {
			return
		}
		if _, err := cloudinit.Alone(joined); err != nil {
			t.Errorf("what Append writes cannot be read: %v\n%s", err, joined)
		}
	})
}

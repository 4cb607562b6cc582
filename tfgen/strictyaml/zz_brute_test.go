package strictyaml

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"
)

func TestZZBrute(t *testing.T) {
	alpha := []string{"a", "-", ":", "[", "]", "{", "}", ",", "&", "*", "!", "%", "#", "'", "\"", "|", ">", "<", "?", ".", "\n", " ", "\\", "=", "@", "~", "1", "_", "a: ", "- ", "\n ", "\t", "\r\n"}
	prefixes := []string{"", "name: ", "[", "name: |\n  "}
	pats := []string{}
	for _, a := range alpha {
		pats = append(pats, a)
		for _, b := range alpha {
			pats = append(pats, a+b)
		}
	}
	r := rand.New(rand.NewSource(1))
	for i := 0; i < 200; i++ {
		s := ""
		for j := 0; j < 3+r.Intn(4); j++ {
			s += alpha[r.Intn(len(alpha))]
		}
		pats = append(pats, s)
	}
	for _, p := range pats {
		for _, pre := range prefixes {
			text := pre + strings.Repeat(p, 60_000/len(p)) + "\nx: y\n"
			start := time.Now()
			var g garden
			Decode("x", []byte(text), &g)
			if d := time.Since(start); d > 150*time.Millisecond {
				fmt.Printf("%v %q %q\n", d, pre, p)
			}
		}
	}
}

package scaler_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const counting = `name: shop
interval: 10s
%s
groups:
  - name: web
    cloud: local
    max: 9
    policies:
      - rule: |
          m_userdata = (m_userdata or 0) + 1
          print(m_userdata)
      - rule: |
          m_userdata = (m_userdata or 0) + 1
          print(m_userdata)
  - name: workers
    cloud: local
    max: 9
    policies:
      - rule: |
          m_userdata = (m_userdata or 0) + 1
          print(m_userdata)
`

// printed is what each rule printed at the last tick.
func (w *world) printed() []string {
	var lines []string
	for _, name := range []string{"web", "workers"} {
		for _, p := range w.group(name).Decision.Proposals {
			lines = append(lines, p.Prints...)
		}
	}
	return lines
}

// TestUserDataSurvivesARestart pins that each rule remembers for itself, or all
// together as in MiCADO where the description says so.
func TestUserDataSurvivesARestart(t *testing.T) {
	for _, test := range []struct {
		name, key           string
		third, afterRestart []string
	}{
		{"each rule has its own", "", []string{"3", "3", "3"}, []string{"4", "4", "4"}},
		{"all rules share one", "shared_userdata: true", []string{"7", "8", "9"}, []string{"10", "11", "12"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.submit(fmt.Sprintf(counting, test.key))
				pass(31 * time.Second)
				if diff := cmp.Diff(test.third, w.printed()); diff != "" {
					t.Errorf("prints at the third tick (-want +got):\n%s", diff)
				}
				w.restart()
				pass(11 * time.Second)
				if diff := cmp.Diff(test.afterRestart, w.printed()); diff != "" {
					t.Errorf("prints at the first tick after a restart (-want +got):\n%s", diff)
				}
				w.stop()
			})
		})
	}
}

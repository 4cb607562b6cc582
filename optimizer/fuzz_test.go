package optimizer

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// FuzzAdvise feeds samples made of any bits to both methods: no panic, no wild count,
// no NaN in an advice.
func FuzzAdvise(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef0123456789abcdef"))
	f.Add(bytes.Repeat([]byte{0xff, 0xf0, 0x7f}, 400))
	f.Add(make([]byte, 2000))
	f.Fuzz(adviseOnBits)
}

// TestAnyBitsGiveSaneAdvice is FuzzAdvise on bits of three kinds from seeds.
func TestAnyBitsGiveSaneAdvice(t *testing.T) {
	few := []byte{0, 1, 1, 2, 255, 240, 127, 10}
	for seed := range uint64(90) {
		rng := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, 14*(10+rng.IntN(190)))
		for i := range data {
			switch seed % 3 {
			case 0:
				data[i] = byte(rng.Uint32())
			case 1:
				data[i] = byte(rng.IntN(3)) * 127
			default:
				data[i] = few[rng.IntN(len(few))]
			}
		}
		adviseOnBits(t, data)
	}
}

func adviseOnBits(t *testing.T, data []byte) {
	for _, method := range []Method{Auto, Published} {
		c := testConfig()
		c.Method, c.TrainingSamplesRequired = method, 10
		o := newOptimizer(t, c)
		at := start
		for i := 0; len(data)-i*14 >= 14 && i < 200; i++ {
			b := data[i*14 : i*14+14]
			at = at.Add(time.Duration(int(b[0])-8) * time.Second) // now and then back
			value := func(k int) float64 {
				if b[1]&(1<<k) != 0 { // any number at all
					return math.Float64frombits(binary.LittleEndian.Uint64(b[2+2*k:][:8]))
				}
				return float64(b[2+k])
			}
			s := Sample{At: at, Nodes: int(b[12]) % 20, Total: int(b[13]) % 40,
				Values: map[string]float64{"load": value(0), "work": value(1), "latency": value(2)}}
			_ = o.Add(s)
			checkAdvice(t, o, o.Advise(at))
		}
		if trained, err := o.Trainer().Train(context.Background()); err == nil {
			_ = o.Adopt(trained)
		}
		checkAdvice(t, o, o.Advise(at))
		o.Snapshot()
	}
}

// FuzzImport reads any file.
func FuzzImport(f *testing.F) {
	f.Add([]byte("timestamp,load,work,vm_number,latency\n1,2,3,4,5\n"))
	f.Add([]byte(semicolons))
	f.Add([]byte("sep=;"))
	f.Add([]byte(`{"inputs":["load","work"],"targets":["latency"],"samples":[{"at":"2026-01-01T00:00:00Z","nodes":1,"values":[1,null,3]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := newOptimizer(t, testConfig())
		done, err := o.ImportCSV(bytes.NewReader(data))
		if err == nil && done.Added != o.Samples() {
			t.Errorf("%d added, %d kept", done.Added, o.Samples())
		}
		_, _ = o.ImportJSON(bytes.NewReader(data))
		checkAdvice(t, o, o.Advise(o.Last()))
	})
}

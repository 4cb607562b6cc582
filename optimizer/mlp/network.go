// Package mlp is a perceptron with one hidden layer of tanh units and a linear output,
// trained by L-BFGS. It computes what scikit-learn's MLPRegressor computes with
// activation=tanh, solver=lbfgs and one hidden layer: the same loss, the same
// initial distribution, the same stopping rules.
//
// Samples are given as a flat slice: x is n samples by d inputs, row-major.
package mlp

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Network is a perceptron of Inputs inputs and Hidden tanh units. Its value at x is
//
//	b2 + Σ_h w2[h] · tanh(b1[h] + Σ_i w1[h,i] x[i])
type Network struct {
	Inputs int `json:"inputs"`
	Hidden int `json:"hidden"`
	// Params holds, one after another: w1 (Hidden by Inputs, row-major), b1 (Hidden),
	// w2 (Hidden), b2.
	Params []float64 `json:"params"`
}

// New returns a network whose weights and biases are drawn uniformly from
// ±sqrt(6/(fan in + fan out)) of their layer (Glorot and Bengio 2010), as
// scikit-learn draws them for tanh.
func New(inputs, hidden int, rng *rand.Rand) *Network {
	if inputs < 1 || hidden < 1 {
		panic(fmt.Sprintf("mlp: a network of %d inputs and %d hidden units", inputs, hidden))
	}
	n := &Network{Inputs: inputs, Hidden: hidden, Params: make([]float64, hidden*inputs+2*hidden+1)}
	l := n.layout(n.Params)
	draw(l.w1, math.Sqrt(6/float64(inputs+hidden)), rng)
	draw(l.b1, math.Sqrt(6/float64(inputs+hidden)), rng)
	draw(l.w2, math.Sqrt(6/float64(hidden+1)), rng)
	draw(l.b2, math.Sqrt(6/float64(hidden+1)), rng)
	return n
}

func draw(w []float64, bound float64, rng *rand.Rand) {
	for i := range w {
		w[i] = bound * (2*rng.Float64() - 1)
	}
}

// Predict returns the network's value at x, of length n.Inputs. It allocates nothing.
func (n *Network) Predict(x []float64) float64 {
	x = x[:n.Inputs]
	l := n.layout(n.Params)
	y := l.b2[0]
	for h := range n.Hidden {
		z := l.b1[h]
		for i, w := range l.w1[h*n.Inputs : (h+1)*n.Inputs] {
			z += w * x[i]
		}
		y += l.w2[h] * tanh(z)
	}
	return y
}

// layer names the parts of a parameter vector, or of its gradient.
type layer struct{ w1, b1, w2, b2 []float64 }

func (n *Network) layout(p []float64) layer {
	w := n.Hidden * n.Inputs
	return layer{w1: p[:w], b1: p[w : w+n.Hidden], w2: p[w+n.Hidden : w+2*n.Hidden], b2: p[w+2*n.Hidden:]}
}

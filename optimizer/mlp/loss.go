package mlp

// loss is the training loss of a network over samples, as MLPRegressor defines it:
//
//	1/(2n) Σ (f(x_i) - y_i)² + alpha/(2n) Σ weights²
//
// biases not penalised. With sample weights the first sum is weighted and n is their sum.
type loss struct {
	net    *Network
	x, y   []float64
	weight []float64 // nil: 1 each
	alpha  float64
	total  float64 // sum of weights

	// Units are worked on four at a time, in registers; wide and gwide hold w1 and its
	// gradient as blocks of inputs by 4 units, zero where a block has units to spare.
	wide, gwide    [][4]float64
	hidden         [][4]float64
	bias, out, gb1 [][4]float64
	gout           [][4]float64
}

func newLoss(net *Network, x, y, weight []float64, alpha float64) *loss {
	blocks := (net.Hidden + 3) / 4
	l := &loss{net: net, x: x, y: y, weight: weight, alpha: alpha, total: float64(len(y))}
	l.wide, l.gwide = make([][4]float64, blocks*net.Inputs), make([][4]float64, blocks*net.Inputs)
	for _, v := range []*[][4]float64{&l.hidden, &l.bias, &l.out, &l.gb1, &l.gout} {
		*v = make([][4]float64, blocks)
	}
	if weight != nil {
		l.total = 0
		for _, w := range weight {
			l.total += w
		}
	}
	return l
}

// value returns the loss at the parameters p and, where grad is not nil, sets it to
// the gradient (back-propagation).
func (l *loss) value(p, grad []float64) float64 {
	l.unpack(p)
	d := l.net.Inputs
	b2 := l.net.layout(p).b2[0]
	var sum, gb2 float64
	for s, y := range l.y {
		x := l.x[s*d : (s+1)*d]
		e := l.forward(x) + b2 - y
		we := e
		if l.weight != nil {
			we *= l.weight[s]
		}
		sum += we * e
		if grad != nil {
			gb2 += we
			l.backward(x, we)
		}
	}
	if grad != nil {
		l.pack(grad)
		l.net.layout(grad).b2[0] = gb2
	}
	return l.penalise(sum, p, grad)
}

// forward returns the network's value at x, less b2, and keeps the activations.
func (l *loss) forward(x []float64) (out float64) {
	d := len(x)
	for k := range l.hidden {
		z := l.bias[k]
		z0, z1, z2, z3 := z[0], z[1], z[2], z[3]
		wide := l.wide[k*d : (k+1)*d]
		for i, v := range x {
			w := &wide[i]
			z0 += w[0] * v
			z1 += w[1] * v
			z2 += w[2] * v
			z3 += w[3] * v
		}
		a, w2 := [4]float64{tanh(z0), tanh(z1), tanh(z2), tanh(z3)}, &l.out[k]
		l.hidden[k] = a
		out += w2[0]*a[0] + w2[1]*a[1] + w2[2]*a[2] + w2[3]*a[3]
	}
	return out
}

// backward adds to the gradients what an error of e at x, just gone forward, adds.
func (l *loss) backward(x []float64, e float64) {
	d := len(x)
	for k := range l.hidden {
		a, w2, g2, g1 := &l.hidden[k], &l.out[k], &l.gout[k], &l.gb1[k]
		var delta [4]float64
		for j := range 4 {
			g2[j] += e * a[j]
			delta[j] = e * w2[j] * (1 - a[j]*a[j])
			g1[j] += delta[j]
		}
		d0, d1, d2, d3 := delta[0], delta[1], delta[2], delta[3]
		gwide := l.gwide[k*d : (k+1)*d]
		for i, v := range x {
			g := &gwide[i]
			g[0] += d0 * v
			g[1] += d1 * v
			g[2] += d2 * v
			g[3] += d3 * v
		}
	}
}

// unpack spreads parameters over the blocks, and clears the gradients'.
func (l *loss) unpack(p []float64) {
	at, d := l.net.layout(p), l.net.Inputs
	clear(l.gwide)
	clear(l.gb1)
	clear(l.gout)
	for h := range l.net.Hidden {
		l.bias[h/4][h%4], l.out[h/4][h%4] = at.b1[h], at.w2[h]
		for i := range d {
			l.wide[h/4*d+i][h%4] = at.w1[h*d+i]
		}
	}
}

// pack gathers the blocks' gradients.
func (l *loss) pack(grad []float64) {
	g, d := l.net.layout(grad), l.net.Inputs
	for h := range l.net.Hidden {
		g.b1[h], g.w2[h] = l.gb1[h/4][h%4], l.gout[h/4][h%4]
		for i := range d {
			g.w1[h*d+i] = l.gwide[h/4*d+i][h%4]
		}
	}
}

// penalise adds the penalty on weights and divides by the number of samples.
func (l *loss) penalise(sum float64, p, grad []float64) float64 {
	at := l.net.layout(p)
	for _, w := range at.w1 {
		sum += l.alpha * w * w
	}
	for _, w := range at.w2 {
		sum += l.alpha * w * w
	}
	if grad != nil {
		g := l.net.layout(grad)
		for i, w := range at.w1 {
			g.w1[i] += l.alpha * w
		}
		for i, w := range at.w2 {
			g.w2[i] += l.alpha * w
		}
		for i := range grad {
			grad[i] /= l.total
		}
	}
	return sum / (2 * l.total)
}

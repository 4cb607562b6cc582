// Package optimizer learns from samples how many nodes a service needs, and advises.
//
// A sample is the value of each input metric and target metric at one instant, with
// the number of nodes. An advice is the smallest number of nodes that is expected to keep
// every target in its range, with the reasons, a prediction for each candidate and a
// calibrated reliability. The package is pure: it knows no clock (time is the samples'),
// reads no files by itself, starts no goroutines, and draws chance from a seed only, so a
// simulator can drive weeks in minutes and the same samples always give the same advice.
//
//	o, err := optimizer.New(config)
//	err = o.Add(sample)                     // each interval
//	if o.Due() {                            // in a goroutine of the caller's:
//		trained, err := o.Trainer().Train(ctx)  // (take the Trainer before)
//		err = o.Adopt(trained)              // back in the owner's
//	}
//	advice := o.Advise(now)
//
// # The published method
//
// With Config.Method Published, advice is found as MiCADO's deliverable D6.4, section 7.2,
// describes it, after MLscale (Wajahat, Karve, Kochut, Gandhi: "MLscale: a machine learning
// based application-agnostic autoscaler", Sustainable Computing 22, 2019):
//
//  1. For each input m, over the samples before and after each change from V to V' nodes,
//     least squares fit m_est = w0 + w1·m·V/(V+V') + w2·m·V'/(V+V').
//  2. For each target, a perceptron with one hidden layer of tanh units and a linear output
//     predicts it from the inputs, both scaled to [-1, 1]; trained by L-BFGS with the
//     original implementation's settings (4 units, alpha 0.01, at most 250 iterations).
//     Package mlp computes scikit-learn's loss, so that results can be compared.
//  3. For every count in [N-down, N+up], both ends included, the inputs are estimated from
//     the measured ones and the target from those. The smallest count whose targets are all
//     in range is advised; if there is none, the one nearest to the range, of equals the
//     fewer. The present count keeps its measured inputs: without a change there is
//     nothing to estimate.
//
// The original implementation departs from this (it predicts each candidate from the
// last candidate's prediction, never tries the full step, never shrinks while in range,
// and reports the correlation on its own training data as reliability); this one does not.
//
// # Where the published method fails, and what auto does instead
//
// Split by time, the published model is worse than the mean of the target on every recording
// of its authors': one outlier rescales everything, a regression at a lag of one sample is
// persistence, and extrapolation is unbounded. Auto keeps its idea (what scaling does to
// the inputs, what the inputs do to the target) and changes the parts:
//
//   - Load (load.go). All inputs that go with one another vote on the load per node, each
//     weighted by how closely it follows the rest, in logarithms. Whether an input is a mean
//     per node or a total is learned from what happens to it when the number of nodes
//     changes, with the prior that it dilutes; an input that has an offset grows slower than
//     the load, and its elasticity is learned too. No metric name means anything.
//   - Capacity (gauge.go, curve.go). The target over the load is a queue's curve with three
//     parameters, b + k·d·(1 + g(rho/r0)), g the waiting of a two-server queue (Sakasegawa,
//     Annals of the Institute of Statistical Mathematics 29, 1977), which is monotone and
//     has little to learn: fitted online to forgotten sums, after a dozen samples. d is
//     the work in a request as one input shows it; which one, is settled by which predicts the
//     samples to come. So a drift of the service time is absorbed within minutes. A slow
//     correction follows what the curve does not explain, and its scatter gives the interval.
//   - Start of a node (boots.go, ages.go). The time from asking for a node to its being
//     ready is measured, and how slow it is in its first minute; booting nodes are coming,
//     not missing.
//   - Forecast (forecast.go). The load when a node asked for now is ready, by recursive
//     least squares on trends over three spans and the growth of the same time yesterday and a
//     week ago; the variance of its error by another; the error's tail from a histogram.
//   - Risk budget (need.go, margin.go). A node is worth its price if it cuts the chance of
//     a violation by at least that. The price is steered so that the share of time over
//     the limit comes to three quarters of 1 - Config.Budget. Nodes are given back only when
//     the risk was inside the budget for a stabilisation window, which is the largest
//     single effect measured on autoscalers, and later still where the fleet changes
//     hundreds of times a day.
//   - Challenger (ensemble.go, challenger.go). Perceptrons on log inputs and a log target,
//     trained off the tick on blocks of samples with Huber's loss; their median predicts.
//     It is in charge only while its error on samples to come is clearly below the capacity
//     model's. While neither has earned it, a reactive policy advises: there is no blind
//     training phase and no sweep over live load.
//
// With several targets all must hold: the chances of violating each are added. Where a
// target has a Max, auto keeps below it and takes the fewest nodes that do; its Min is
// then what follows from taking the fewest. A target with a Min only is kept above it.
//
// # Honesty
//
// Every training is validated on the newest 30 % of the samples, which it has not seen
// (Quality): log error, median relative error, coverage of the 80 % interval, skill against
// "as now" and "in proportion to load". Reliability is not a correlation but a chance:
// the share of times the targets held, when a node asked for then would have been ready,
// after advices for which the model claimed the like (Calibration).
package optimizer

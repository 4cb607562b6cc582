package optimizer

import (
	"context"
	"math"
	"time"
)

// Quality is how well a model predicted samples that were later than those it was
// trained on.
type Quality struct {
	Model  string    `json:"model"`
	Target string    `json:"target"`
	At     time.Time `json:"at"`    // of the last sample it was judged on
	Train  int       `json:"train"` // samples
	Test   int       `json:"test"`
	// LogError is the mean of |log(predicted/measured)|, MedianRelative the median of
	// |predicted-measured|/measured, MAE in the target's unit.
	LogError       float64 `json:"log_error"`
	MedianRelative float64 `json:"median_relative"`
	MAE            float64 `json:"mae"`
	R2             float64 `json:"r2"`
	// Coverage is the share of samples within the 80 % interval.
	Coverage float64 `json:"coverage"`
	// SkillPersistence and SkillReactive are 1 - LogError / that of a naive model:
	// "as the last sample", "as the last sample, in proportion to the load per node".
	// At most 1; 0 or less: no better.
	SkillPersistence float64 `json:"skill_persistence"`
	SkillReactive    float64 `json:"skill_reactive"`
}

// judge compares predictions with what was measured; last and reactive are the naive
// models' predictions. sigma is the deviation of the log error that the model claims.
func judge(predicted, measured, last, reactive []float64, sigma float64) Quality {
	q := Quality{Test: len(measured)}
	n := float64(len(measured))
	if n == 0 {
		return q
	}
	var mean, naive, react, residual, variance float64
	for _, v := range measured {
		mean += v / n
	}
	relative := make([]float64, 0, len(measured))
	for i, v := range measured {
		e := predicted[i] - v
		l := math.Abs(logRatio(predicted[i], v))
		q.LogError += l / n
		q.MAE += math.Abs(e) / n
		residual += e * e
		variance += (v - mean) * (v - mean)
		if v != 0 {
			relative = append(relative, math.Abs(e/v))
		}
		if l <= z80*sigma {
			q.Coverage += 1 / n
		}
		naive += math.Abs(logRatio(last[i], v)) / n
		react += math.Abs(logRatio(reactive[i], v)) / n
	}
	q.MedianRelative = median(relative)
	if variance > 0 {
		q.R2 = 1 - residual/variance
	}
	q.SkillPersistence, q.SkillReactive = skill(q.LogError, naive), skill(q.LogError, react)
	return q
}

// skill is 1 - err/naive, within [-9, 1].
func skill(err, naive float64) float64 {
	if naive <= 0 {
		if err <= 0 {
			return 0
		}
		return -9
	}
	return max(1-err/naive, -9)
}

// heldOutShare is the part of the samples, the newest, that a validation predicts.
const heldOutShare = 0.3

// predictor predicts target t of the sample at position i of a set.
type predictor func(set trainingSet, i, t int) float64

// validate judges a way to train on the newest samples, which it has not seen. The
// first half of them settles the interval that the second half's coverage is of.
func validate(ctx context.Context, set trainingSet, model string, train func(context.Context, trainingSet) (predictor, error)) ([]Quality, []float64, error) {
	cut := set.len() - int(heldOutShare*float64(set.len()))
	predict, err := train(ctx, set.slice(0, cut))
	if err != nil {
		return nil, nil, err
	}
	var all []Quality
	var sigmas []float64
	test := set.len() - cut
	for t := range set.width - set.inputs {
		lead := set.mostCorrelated(t, cut)
		var predicted, measured, last, reactive, logs []float64
		for i := cut; i < set.len(); i++ {
			p, v := predict(set, i, t), set.target(i, t)
			predicted, measured = append(predicted, p), append(measured, v)
			last = append(last, set.target(i-1, t))
			reactive = append(reactive, set.target(i-1, t)*math.Exp(logRatio(set.row(i)[lead], set.row(i - 1)[lead])))
			logs = append(logs, math.Abs(logRatio(p, v)))
		}
		sigma := max(quantile(append([]float64(nil), logs[:(test+1)/2]...), 0.8)/z80, leastSigma)
		q := judge(predicted, measured, last, reactive, sigma)
		covered := 0
		for _, l := range logs[(test+1)/2:] {
			if l <= z80*sigma {
				covered++
			}
		}
		if late := test - (test+1)/2; late > 0 {
			q.Coverage = float64(covered) / float64(late)
		}
		q.Model, q.Target, q.Train = model, set.names[set.inputs+t], cut
		q.At = time.Unix(0, set.at[set.len()-1]).UTC()
		all = append(all, q)
		sigmas = append(sigmas, max(quantile(logs, 0.8)/z80, leastSigma))
	}
	return all, sigmas, nil
}

// leastSigma keeps intervals from vanishing where a target is constant.
const leastSigma = 1e-3

// mostCorrelated is the input whose logarithm goes best with the target's.
func (s trainingSet) mostCorrelated(t, cut int) (best int) {
	score := 0.0
	a, b := make([]float64, cut), make([]float64, cut)
	for i := range cut {
		b[i] = logRatio(s.target(i, t), 1)
	}
	for j := range s.inputs {
		for i := range cut {
			a[i] = logRatio(s.row(i)[j], 1)
		}
		if r := math.Abs(pearson(a, b)); r > score {
			best, score = j, r
		}
	}
	return best
}

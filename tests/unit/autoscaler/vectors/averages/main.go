// Writes recordings with the averages of Knative's own windows, for tests/unit/autoscaler.
//
//	GOFLAGS=-mod=mod go run . > ../../knative_averages.json
package main

import (
	"encoding/json"
	"math"
	"math/rand"
	"os"
	"time"

	"knative.dev/serving/pkg/autoscaler/aggregation"
)

type m = map[string]any

func pick[T any](r *rand.Rand, xs ...T) T { return xs[r.Intn(len(xs))] }
func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}

func ops(r *rand.Rand) m {
	base := time.Now().Truncate(2 * time.Second)
	g := pick(r, 1.0, 1.0, 2.0)
	w := g * float64(1+r.Intn(20))
	algorithm := pick(r, "linear", "weighted-exponential")
	type window interface {
		Record(time.Time, float64)
		WindowAverage(time.Time) float64
		ResizeWindow(time.Duration)
	}
	var win window = aggregation.NewTimedFloat64Buckets(time.Duration(w*1e9), time.Duration(g*1e9))
	if algorithm != "linear" {
		win = aggregation.NewWeightedFloat64Buckets(time.Duration(w*1e9), time.Duration(g*1e9))
	}
	first := w
	list, want := []m{}, []float64{}
	t := -float64(20 + r.Intn(100))
	resizeAt := -1
	if r.Intn(3) == 0 {
		resizeAt = 10 + r.Intn(10)
	}
	for i := 0; i < 40; i++ {
		t = round(t+pick(r, 0.0, 0.1, 0.9, 1, 1.5, 2, 3, -1, w, w/2+0.25), 3)
		at := base.Add(time.Duration(math.Round(t * 1e9)))
		switch {
		case i == resizeAt:
			w = g * float64(1+r.Intn(25))
			// Knative reads the wall clock here: the recording says the same time.
			now := time.Since(base).Seconds()
			list = append(list, m{"op": "resize", "t_s": round(now, 3), "window_s": w})
			win.ResizeWindow(time.Duration(w * 1e9))
		case r.Intn(5) < 3:
			v := round(r.Float64()*pick(r, 1.0, 10, 1000), pick(r, 0, 2, 6))
			list = append(list, m{"op": "record", "t_s": t, "value": v})
			win.Record(at, v)
		default:
			list = append(list, m{"op": "average", "t_s": t})
			want = append(want, win.WindowAverage(at))
		}
	}
	return m{"recording": m{"config": m{"window_s": first, "granularity_s": g, "algorithm": algorithm}, "ops": list}, "want": want}
}

func main() {
	r := rand.New(rand.NewSource(20261123))
	all := []m{}
	for i := 0; i < 60; i++ {
		all = append(all, ops(r))
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		panic(err)
	}
}

// Writes recordings with the decisions of Knative's own autoscaler, for tests/unit/autoscaler.
//
//	go run . > ../../knative_decisions.json
//
// Version 1.15 (v0.42.2) is the newest whose dependencies all come from a module proxy; where HEAD
// differs (a delay on an unreachable revision) no recording is made.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand"
	"os"
	"time"

	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"knative.dev/serving/pkg/autoscaler/metrics"
	"knative.dev/serving/pkg/autoscaler/scaling"
)

type m = map[string]any

type pods struct {
	n   int
	err error
}

func (p *pods) ReadyCount() (int, error)    { return p.n, p.err }
func (p *pods) NotReadyCount() (int, error) { return 0, p.err }

type metric struct {
	stable, panic float64
	err           error
}

func (c *metric) StableAndPanicConcurrency(types.NamespacedName, time.Time) (float64, float64, error) {
	return c.stable, c.panic, c.err
}
func (c *metric) StableAndPanicRPS(types.NamespacedName, time.Time) (float64, float64, error) {
	return c.stable, c.panic, c.err
}

var _ metrics.MetricClient = (*metric)(nil)

func pick[T any](r *rand.Rand, xs ...T) T { return xs[r.Intn(len(xs))] }
func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}

func spec(c m) *scaling.DeciderSpec {
	return &scaling.DeciderSpec{
		ScalingMetric: c["scaling_metric"].(string), TargetValue: c["target_value"].(float64),
		TotalValue: c["total_value"].(float64), TargetBurstCapacity: c["target_burst_capacity"].(float64),
		PanicThreshold: c["panic_threshold"].(float64), MaxScaleUpRate: c["max_scale_up_rate"].(float64),
		MaxScaleDownRate: c["max_scale_down_rate"].(float64),
		StableWindow:     time.Duration(c["stable_window_s"].(float64) * 1e9),
		ScaleDownDelay:   time.Duration(c["scale_down_delay_s"].(float64) * 1e9),
		Reachable:        c["reachable"].(bool), ActivationScale: int32(c["activation_scale"].(int)),
	}
}

func config(r *rand.Rand) m {
	delay := pick(r, 0.0, 0.0, 2.0, 5.0, 30.0)
	return m{
		"scaling_metric": pick(r, "concurrency", "rps"), "target_value": pick(r, 0.01, 0.7, 1.0, 3.5, 7.0, 10.0, 70.0, 140.0),
		"total_value": pick(r, 1.0, 10.0, 100.0, 200.0), "target_burst_capacity": pick(r, -1.0, 0.0, 10.0, 211.0, 37.5),
		"panic_threshold": pick(r, 1.1, 2.0, 2.0, 10.0), "max_scale_up_rate": pick(r, 1.1, 2.0, 10.0, 1000.0),
		"max_scale_down_rate": pick(r, 1.1, 2.0, 5.0), "stable_window_s": pick(r, 6.0, 30.0, 60.0),
		"scale_down_delay_s": delay, "reachable": delay > 0 || r.Intn(5) > 0,
		"activation_scale": pick(r, 1, 1, 2, 5),
	}
}

func steps(r *rand.Rand) m {
	base := time.Now().Truncate(2 * time.Second)
	c := config(r)
	first := m{}
	for k, v := range c {
		first[k] = v
	}
	p, mc := &pods{n: pick(r, 0, 0, 1, 2, 7)}, &metric{}
	created := p.n
	s := scaling.New(context.Background(), "n", "r", mc, p, spec(c))
	since := float64(time.Since(base).Microseconds()) / 1e6
	initial := m{"ready_pods_at_creation": created}
	if created > 1 {
		initial["panic_started_at_t_s"] = since
		initial["max_panic_pods"] = created
	}
	list, want := []m{}, []m{}
	t := 2.0
	logger := zap.NewNop().Sugar()
	level := r.Float64() * 100
	for i := 0; i < 40; i++ {
		t = round(t+pick(r, 0.5, 2, 2, 2, 2, 5, 31), 3)
		level = math.Max(0, level*pick(r, 0, 0.5, 0.9, 1, 1.1, 3)+pick(r, 0.0, 0, 1, 5))
		mc.stable, mc.panic = round(level, 3), round(level*pick(r, 0, 0.5, 1, 1.5, 4), 3)
		p.n = pick(r, p.n, p.n, 0, 1, 2, 3, 8, 20)
		step := m{"t_s": t, "ready_pods": p.n, "stable": mc.stable, "panic": mc.panic}
		mc.err, p.err = nil, nil
		switch r.Intn(20) {
		case 0:
			mc.err, step["metric_error"] = errors.New("no data"), true
		case 1:
			p.err, step["pod_count_error"] = errors.New("gone wrong"), "internal"
		case 2:
			p.err, step["pod_count_error"] = apierrors.NewNotFound(schema.GroupResource{}, "r"), "not_found"
			p.n = 0
		case 3, 4:
			update, fresh := m{}, config(r)
			for _, k := range []string{"target_value", "reachable", "activation_scale", "panic_threshold", "max_scale_up_rate"} {
				if r.Intn(2) == 0 && (k != "reachable" || c["scale_down_delay_s"] == 0.0) {
					update[k], c[k] = fresh[k], fresh[k]
				}
			}
			step["update_config"] = update
			s.Update(spec(c))
		}
		res := s.Scale(logger, base.Add(time.Duration(math.Round(t*1e9))))
		list = append(list, step)
		want = append(want, m{"valid": res.ScaleValid, "desired_pods": res.DesiredPodCount, "excess_burst_capacity": res.ExcessBurstCapacity})
	}
	return m{"recording": m{"config": first, "initial": initial, "steps": list}, "want": want}
}

func main() {
	r := rand.New(rand.NewSource(20261123))
	all := []m{}
	for i := 0; i < 60; i++ {
		all = append(all, steps(r))
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		panic(err)
	}
}

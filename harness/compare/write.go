package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"

	"github.com/reapcheck/reapcheck/harness/results"
)

// Write leaves compare.json, compare.md and compare.html in folder.
func (r *Report) Write(folder string) error {
	page, err := r.HTML()
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode compare.json: %w", err)
	}
	for name, content := range map[string][]byte{
		"compare.json": append(raw, '\n'), "compare.md": []byte(r.Markdown()), "compare.html": page,
	} {
		if err := results.Replace(filepath.Join(folder, name), content); err != nil {
			return err
		}
	}
	return nil
}

// MarshalJSON writes an end that is open as null: JSON has no infinity.
func (i Interval) MarshalJSON() ([]byte, error) {
	end := func(v float64) *float64 {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil
		}
		return &v
	}
	return json.Marshal(map[string]any{
		"n": i.N, "middle": end(i.Middle), "low99": end(i.Low), "high99": end(i.High),
	})
}

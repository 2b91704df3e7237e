package results

import "time"

// Measurement says of a report of figures what measured them, where and when.
type Measurement struct {
	Version string    `json:"version"`
	Runtime string    `json:"runtime"`
	Kernel  string    `json:"kernel"`
	CPUs    int       `json:"cpus"`
	Seed    uint64    `json:"seed"`
	Argv    []string  `json:"argv"`
	Started time.Time `json:"started"`
	TookMs  int64     `json:"tookMs"`
}

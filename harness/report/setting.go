package report

// Setting is one setting of a run as it took effect. Secrets are masked before
// they come here.
type Setting struct {
	Name   string   `json:"name"`
	Values []string `json:"values,omitempty"`
	// From is "flag", "environment", "file" or "default".
	From string `json:"from"`
}

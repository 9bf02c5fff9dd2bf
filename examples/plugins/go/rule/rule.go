// Package rule: outage words raise urgency, the example rule in Go.
//
// Configure runs once and the host may keep what it leaves in memory; Evaluate runs once per event and must not remember.
package rule

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Schema of the config; its defaults are the defaults of the rule.
const Schema = `{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "category": {"type": "string", "minLength": 1, "default": "outage"},
    "urgency": {"enum": ["low", "normal", "high", "critical"], "default": "high"},
    "words": {"type": "array", "minItems": 1, "maxItems": 500, "items": {"type": "string"}, "default": ["down", "offline", "outage", "unreachable"]}
  }
}`

// Examples document the rule and test it: name, event, what the verdict must contain.
var Examples = [][3]string{
	{
		"an outage",
		`{"id": "1", "text": "The VPN is DOWN again. Total outage!"}`,
		`{"proposals": [
			{"effect": {"type": "categorize", "value": {"key": "outage"}}, "evidence": [{"text": "DOWN", "span": {"start": 11, "end": 15}}]},
			{"effect": {"type": "set_urgency", "value": "high"}}
		]}`,
	},
	{"nothing to say", `{"id": "2", "text": "Thanks, all good."}`, `{"absent": ["set_urgency"]}`},
}

// Config as the admin writes it.
type Config struct {
	Category string   `json:"category"`
	Urgency  string   `json:"urgency"`
	Words    []string `json:"words"`

	lower map[string]bool
}

// Problem is what is wrong with one place of a config.
type Problem struct{ Path, Message string }

// Configure reads a config; what it does not say is the default.
func Configure(text string) (*Config, []Problem) {
	config := &Config{Category: "outage", Urgency: "high", lower: map[string]bool{}}
	if err := json.Unmarshal([]byte(text), config); err != nil {
		return nil, []Problem{{"", err.Error()}}
	}
	if config.Words == nil {
		config.Words = []string{"down", "offline", "outage", "unreachable"}
	}
	var problems []Problem
	for at, word := range config.Words {
		if start, end := next(word, 0); word == "" || start != 0 || end != len(word) {
			problems = append(problems, Problem{fmt.Sprintf("/words/%d", at), fmt.Sprintf("`%s` is not one word: letters and digits only", word)})
		}
		config.lower[lower(word)] = true
	}
	return config, problems
}

// Hit is a word of the list where it stands in the text, bytes, end exclusive.
type Hit struct {
	Start, End int
	Text       string
}

// Finding is what the rule makes of a text.
type Finding struct {
	// At most 16.
	Hits       []Hit
	Reason     string
	Confidence float64
	Score      float64
	Very       bool
}

// Judge gives nil for a text without any of the words.
func (config *Config) Judge(text string) *Finding {
	var hits []Hit
	for start, end := next(text, 0); start < end; start, end = next(text, end) {
		if config.lower[lower(text[start:end])] {
			hits = append(hits, Hit{start, end, text[start:end]})
		}
	}
	if len(hits) == 0 {
		return nil
	}
	count := min(len(hits), 4)
	return &Finding{
		Hits:       hits[:min(len(hits), 16)],
		Reason:     fmt.Sprintf("the text says “%s”", hits[0].Text),
		Confidence: float64(50+10*count) / 100,
		Score:      float64(-2*count) / 10,
		Very:       count > 2,
	}
}

// next finds the next word. A word is a run of ASCII letters and digits, and of everything beyond ASCII: the same in every
// language of these examples.
func next(text string, from int) (int, int) {
	inside := func(c byte) bool {
		return c >= 0x80 || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
	}
	for from < len(text) && !inside(text[from]) {
		from++
	}
	end := from
	for end < len(text) && inside(text[end]) {
		end++
	}
	return from, end
}

// lower touches ASCII letters only.
func lower(word string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, word)
}

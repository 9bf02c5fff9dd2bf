// Outage words raise urgency: the example rule as a WASI command, in Go. One JSON document in, one out, standard library only.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"outagewords/rule"
)

type object = map[string]any

func main() {
	var question struct {
		Op     string          `json:"op"`
		Config json.RawMessage `json:"config"`
		Event  struct {
			Text string `json:"text"`
		} `json:"event"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&question); err != nil {
		fmt.Fprintln(os.Stderr, err) // lines of stderr are the step's log
		os.Exit(1)
	}
	var answer any
	switch question.Op {
	case "describe":
		answer = describe()
	case "configure":
		problems := []object{}
		_, found := rule.Configure(string(question.Config))
		for _, problem := range found {
			problems = append(problems, object{"path": problem.Path, "message": problem.Message})
		}
		answer = object{"problems": problems}
	default:
		config, _ := rule.Configure(string(question.Config))
		answer = object{"proposals": proposals(config, question.Event.Text)}
	}
	json.NewEncoder(os.Stdout).Encode(answer)
}

func describe() object {
	examples := []object{}
	for _, example := range rule.Examples {
		examples = append(examples, object{"name": example[0], "event": json.RawMessage(example[1]), "expect": json.RawMessage(example[2])})
	}
	return object{
		"name":          "outage-words-go-command",
		"version":       "0.1.0",
		"summary":       "Outage words raise urgency.",
		"license":       "Apache-2.0",
		"effects":       []string{"categorize", "flag-sentiment", "set-urgency"},
		"config_schema": json.RawMessage(rule.Schema),
		"examples":      examples,
	}
}

func proposals(config *rule.Config, text string) []object {
	proposals := []object{}
	found := config.Judge(text)
	if found == nil {
		return proposals
	}
	evidence := []object{}
	for _, hit := range found.Hits {
		span := object{"start": hit.Start, "end": hit.End}
		evidence = append(evidence, object{"field": "text", "span": span, "text": hit.Text, "weight": 1})
	}
	label := "negative"
	if found.Very {
		label = "very_negative"
	}
	for _, effect := range []object{
		{"type": "categorize", "value": object{"key": config.Category}},
		{"type": "flag_sentiment", "value": object{"label": label, "score": found.Score}},
		{"type": "set_urgency", "value": config.Urgency},
	} {
		proposals = append(proposals, object{"effect": effect, "reason": found.Reason, "confidence": found.Confidence, "evidence": evidence})
	}
	return proposals
}

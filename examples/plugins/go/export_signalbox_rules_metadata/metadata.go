// Package export_signalbox_rules_metadata says what the rule is; the generated bindings look for it by this name.
package export_signalbox_rules_metadata

import (
	"wit_component/rule"
	. "wit_component/signalbox_rules_metadata"

	wit "go.bytecodealliance.org/pkg/wit/types"
)

// Describe is asked once, at upload.
func Describe() Description {
	examples := make([]Example, 0, len(rule.Examples))
	for _, example := range rule.Examples {
		examples = append(examples, Example{Name: example[0], Event: example[1], Expect: example[2]})
	}
	return Description{
		Name:         "outage-words-go",
		Version:      "0.1.0",
		Summary:      "Outage words raise urgency.",
		License:      wit.Some("Apache-2.0"),
		Effects:      []string{"categorize", "flag-sentiment", "set-urgency"},
		ConfigSchema: rule.Schema,
		Examples:     examples,
	}
}

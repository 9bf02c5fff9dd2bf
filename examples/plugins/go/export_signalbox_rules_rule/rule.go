// Package export_signalbox_rules_rule puts the rule into the contract's types; the generated bindings look for it by this name.
package export_signalbox_rules_rule

import (
	"wit_component/rule"
	. "wit_component/signalbox_rules_rule"
	types "wit_component/signalbox_rules_types"

	wit "go.bytecodealliance.org/pkg/wit/types"
)

var levels = map[string]types.Level{
	"low": types.Level_Low, "normal": types.Level_Normal, "high": types.Level_High, "critical": types.Level_Critical,
}

var config *rule.Config

// Configure runs once, before any event.
func Configure(text string) wit.Result[wit.Unit, []ConfigProblem] {
	given, problems := rule.Configure(text)
	if len(problems) > 0 {
		told := make([]ConfigProblem, 0, len(problems))
		for _, problem := range problems {
			told = append(told, ConfigProblem{Path: problem.Path, Message: problem.Message})
		}
		return wit.Err[wit.Unit](told)
	}
	config = given
	return wit.Ok[wit.Unit, []ConfigProblem](wit.Unit{})
}

// Evaluate runs once per event.
func Evaluate(event Event, _ SoFar) wit.Result[Verdict, RuleError] {
	verdict := Verdict{Flow: types.Flow_Next}
	if found := config.Judge(event.Text); found != nil {
		evidence := make([]types.Evidence, 0, len(found.Hits))
		for _, hit := range found.Hits {
			span := wit.Some(types.Span{Start: uint32(hit.Start), End: uint32(hit.End)})
			evidence = append(evidence, types.Evidence{Field: "text", Span: span, Text: hit.Text, Weight: 1})
		}
		label := types.SentimentLabel_Negative
		if found.Very {
			label = types.SentimentLabel_VeryNegative
		}
		for _, effect := range []types.Effect{
			types.MakeEffectCategorize(types.Category{Key: config.Category}),
			types.MakeEffectFlagSentiment(types.Sentiment{Label: label, Score: float32(found.Score)}),
			types.MakeEffectSetUrgency(levels[config.Urgency]),
		} {
			proposal := types.Proposal{Effect: effect, Reason: found.Reason, Confidence: float32(found.Confidence), Evidence: evidence}
			verdict.Proposals = append(verdict.Proposals, proposal)
		}
	}
	return wit.Ok[Verdict, RuleError](verdict)
}

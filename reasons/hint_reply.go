package reasons

// expectationNames are the fields that say what is expected.
var expectationNames = map[Expected]string{ExpectedAny: "{expect_message}", ExpectedText: "{expect_message}",
	ExpectedPattern: "{expect_pattern}", ExpectedJSON: "{expect_json}", ExpectedNothing: "the expectation"}

// mismatchHint is for messages that came and did not match.
func mismatchHint(c Clues) string {
	name := expectationNames[c.Expected]
	switch c.Near {
	case NearBreak:
		return name + " ends in a line break that the message lacks: in YAML write |- in place of |, or put it in quotes"
	case NearCase:
		return "the message matches " + name + " but for upper and lower case, which count"
	case NearBlanks:
		return "the message matches " + name + " but for blanks, which count: {expect_json} looks at values and not at blanks"
	case NearNoJSON:
		return "{expect_json} needs a whole JSON document, and the message is none: a frame of another protocol around it, or plain text; " +
			"{expect_pattern} looks at text"
	case NearNoPath:
		return "nothing stands at the path of {expect_json}: compare it with the last reply, or is that another message than the one meant?"
	case NearType:
		return "the value at the path of {expect_json} is of another type: 1, \"1\" and true differ"
	case NearValue:
		return "another value stands at the path of {expect_json}: is that another message than the one meant, or a real change?"
	case NearTaken:
		return "an earlier step read a message that this step waits for: merge the two, or narrow what the earlier one expects"
	case NearEarly:
		return "a message that matches was there before {send_message} was sent, and so is no answer to it: wait for it in a step of its own"
	}
	switch c.Expected {
	case ExpectedPattern:
		return "compare {expect_pattern} with the last reply: a case or a line break in it counts, and . matches no line break without (?s)"
	case ExpectedJSON:
		return "compare {expect_json} with the last reply"
	case ExpectedAny:
		return "the messages that came were there before {send_message} was sent, and so are no answer to it: does the server answer this message?"
	default:
		return "compare " + name + " with the last reply: matching is on bytes, so blanks and character case count"
	}
}

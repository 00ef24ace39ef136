package event

// Part is an event in a message: a [Form], and how often it was sent before.
type Part struct {
	Text   []byte
	Slot   int // where the number stands in the Text; -1 if the encoding leaves it out
	Replay int
}

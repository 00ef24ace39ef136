package config

// notKnown is how a URL is shown whose references are not resolved.
const notKnown = "(not known)"

// checkedBlind are the fields of a Spec whose faults are no matter of the stand-ins that they have in them. Of messages
// in base64, or a list of different words, one cannot tell.
var checkedBlind = map[string]bool{"URL": true, "ConnectTo": true, "Proxy": true, "Headers": true}

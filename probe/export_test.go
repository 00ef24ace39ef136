package probe

// ResolveThrough is the default resolver with the way to its name servers as a parameter.
var ResolveThrough = resolveThrough

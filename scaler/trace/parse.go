package trace

import "io"

// Parse reads a trace from text, as Read does from a file. The name is for messages.
func Parse(name string, text io.Reader) (Trace, error) { return parseTrace(name, text) }

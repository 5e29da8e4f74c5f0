// Package aggregate is one MCP server made of many: it starts or reaches the servers of a project when they are first needed,
// shows their tools, prompts and resources in one list without two of one name, and passes calls on, and what servers ask of
// the application back, with the bytes of arguments and results as they are.
package aggregate

//go:build race && linux

package sandbox_test

func init() { raced = true }

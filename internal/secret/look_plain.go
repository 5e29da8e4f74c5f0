//go:build !linux && !darwin

package secret

const mayAsk = false

package image

import (
	"slices"
	"strings"
)

// dockerSwitches are the long options of docker run and podman run that take no value.
var dockerSwitches = []string{"--detach", "--disable-content-trust", "--help", "--init", "--interactive", "--no-healthcheck", "--no-hosts", "--oom-kill-disable",
	"--privileged", "--publish-all", "--quiet", "--read-only", "--replace", "--rm", "--sig-proxy", "--tls-verify", "--tty"}

// dockerLetters are those of one letter, which may be written together.
const dockerLetters = "dhiPqt"

// In returns the place in args of the container image that a command line of docker run or podman run starts; false
// for any other command line, or one that names no image.
func In(command string, args []string) (at int, ok bool) {
	if command != "docker" && command != "podman" || len(args) == 0 || args[0] != "run" {
		return 0, false
	}
	at = 1
	for ; at < len(args) && strings.HasPrefix(args[at], "-"); at++ {
		flag := args[at]
		switch {
		case flag == "--":
			return at + 1, at+1 < len(args)
		case strings.Contains(flag, "=") || slices.Contains(dockerSwitches, flag):
		case strings.HasPrefix(flag, "--"):
			at++ // its value
		case strings.Trim(flag[1:], dockerLetters) == "": // switches
		case len(flag) == 2:
			at++
		}
	}
	return at, at < len(args)
}

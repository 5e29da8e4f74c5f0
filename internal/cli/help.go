package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"

	"github.com/mcphub/mcphub/internal/manifest/jsonc"
	"github.com/spf13/cobra"
)

func newHelp(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:     "help [VERB or TOPIC]",
		Short:   "Explain a verb or a topic",
		Long:    "Help explains a verb, or one of the topics: " + strings.Join(topicNames(), ", ") + ".",
		Example: "  mcpm help install\n  mcpm help ranges",
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			if len(args) == 0 {
				return root.Help()
			}
			if text, ok := topics[args[0]]; ok {
				if a.JSON {
					app.PrintJSON(a.IO, map[string]string{"topic": args[0], "text": text})
				} else {
					a.IO.Printf("%s", a.IO.Reflow(text))
				}
				return nil
			}
			if verb, _, err := root.Find(args); err == nil && verb != root {
				return verb.Help()
			}
			names := topicNames()
			for _, v := range root.Commands() {
				names = append(names, v.Name())
			}
			e := app.Usage("there is no verb or topic %q", args[0])
			if near := jsonc.Nearest(args[0], names); near != "" {
				return e.WithHint("did you mean mcpm help %s?", near)
			}
			return e.WithHint("topics are %s", strings.Join(topicNames(), ", "))
		},
	}
}

func topicNames() []string { return slices.Sorted(maps.Keys(topics)) }

// topics say what is true of this version, not of the plan.
var topics = map[string]string{
	"secrets": `A secret is a value that a server declares as one, or whose name says so (a token, a password, a key). mcpm
config stores it in the system keychain: the Secret Service on Linux (GNOME Keyring, KWallet, KeePassXC), the
Keychain on macOS, the Credential Manager on Windows. It is never in mcp.json, the lockfile, a host application's
file, mcpm's arguments or its output; config.json under MCPM_HOME only says where it is.

  mcpm config @acme/db --set TOKEN           asks, or reads a pipe; in no history
  mcpm config @acme/db --set TOKEN=abc       works, and your shell's history may hold it
  mcpm config @acme/db --get TOKEN           on a terminal; into a pipe only with --reveal
  mcpm config -g @acme/db --set TOKEN        for all projects; a project's own value wins

Where no keychain answers (a container, a build, a login over ssh) secrets go to secrets.age under MCPM_HOME,
encrypted with age, and mcpm config says so. What opens that file:

  secrets.key beside it   made once, readable by you only. Protects from who gets secrets.age alone: a backup, a
                          synchronised directory. Not from who can read both files, and so not from other
                          programs of yours.
  MCPM_SECRETS_KEY        an age secret key (age-keygen makes one), or a passphrase of at least 12 characters.
                          Protects from everyone without it. mcpm run needs it too, so set it where host
                          applications find it. A passphrase costs about a second at each start.

MCPM_SECRETS=keychain uses nothing but the keychain, and fails without it; MCPM_SECRETS=file nothing but the file; auto
is the rule above. A keychain that does not answer is given up after 5 seconds, one that has to be unlocked after
a minute. What was stored in one place is not looked for in the other.

A variable of the environment wins over a stored value, except for a remote server, which is sent nothing that was
not given to it with mcpm config. The server gets a secret in its environment, or in a header of its requests. One
that its publisher wants on the command line is refused, because others on the machine can read that: mcpm config
NAME --in-args KEY allows it.

A program that runs as you can ask the keychain as mcpm does. Secrets are safe from other people, not from what you
start yourself.
`,
	"ranges": `Ranges say which versions will do. mcpm reads what npm reads:

  1.4.2            exactly that version
  ^1.4.2           1.4.2 and above, below 2.0.0 (^0.4.2: below 0.5.0)
  ~1.4.2           1.4.2 and above, below 1.5.0
  1.x, 1.4.x, *    any version that begins so
  >=1.4 <3         both must hold
  1.4.0 - 2.1.0    from one to the other
  ^1.4 || ^2.1     one of them must hold
  latest, beta     a tag, which its publisher moves

What is locked stays while it fits; otherwise the highest version that fits is taken, one that is not
deprecated before one that is. The servers that mcp.json names come first: a lower version of one is taken
only where that makes the rest fit. --prefer-lowest takes the lowest instead, to see whether your ranges tell
the truth; --prefer-locked=false the highest, whatever is locked.

A version that was yanked, quarantined or unpublished is never newly chosen. A yanked one that is locked stays.
A prerelease such as 2.0.0-beta.1 is taken only by a range that names a prerelease of the same 2.0.0, by its
exact number, or by a tag; and only when no stable version fits. Versions of mirrored servers that are not
SemVer fit only their exact text or a tag.

A version whose "engines" (mcp, node, python) or "hosts" do not fit this machine is passed over. An engine that is
not found here forbids nothing: mcpm says that it could not be checked.

"overrides" in mcp.json replaces the range of a server wherever it is asked for; in a workspace, those of the
root's mcp.json. There is one version of a server in a project, or in all members of a workspace. When nothing fits, mcpm says why, from mcp.json to what clashes, and what would help.

mcpm install NAME notes ^VERSION in mcp.json; --exact notes the version itself.
`,
	"permissions": `A server's mcp.json says what it needs: hosts it calls, paths it reads or writes, environment variables,
secrets, limits. mcpm shows that before it installs a server, and shows what is new before it updates one.
A server that declares nothing asks for nothing. Paths and hosts may name values: ${DIRECTORY} is the path that you give
the server with mcpm config, ${DATABASE_URL} the host and port of that address.

On Linux a server gets what it declares and what mcpm allow lets it do beside, and nothing more (mcpm help sandbox).
On macOS and Windows it runs with all of your rights, unless you ask for a sandbox. Install there only what you would
run by hand.
`,
	"lockfile": `mcpm-lock.json says exactly what is installed: for each server its version, the hub it came from, the
sha256 of its manifest, its artifacts, the permissions it asked for, a fingerprint of its tools, and what it
depends on. Commit it. mcpm install without names installs what it says; mcpm update moves it.

A package of npm or PyPI is locked with everything it depends on: each at one version, with the digest of its
bytes. npm, uv or pip fetch them once, at install, and run none of their scripts. They are kept under MCPM_HOME,
each file once for all projects, and mcpm run starts them from there: no look-up, no npx, no uvx.

An archive of MCPB is locked with its digest, that of every file in it, and what it starts and asks for. Packages
of NuGet and cargo are not started: their bytes cannot be locked, or are made by scripts on your machine.

What is checked: at every run the manifest, every file of a bundle, and of packages that each file has the size
and the time it was written with; a file that has not is read. mcpm ci and mcpm cache verify read all of them.
A difference stops with exit code 6 and names the file.

A container image is locked to the digest that its tag stands for when it is installed, and started by it; the
container engine fetches it then, and compares it.

One fact is one line, so that a merge conflict can be read. Members that this version does not know are kept.
`,
	"workspaces": `A workspace is several servers in one repository, with one mcpm-lock.json. The mcp.json at its root names them:

  { "workspaces": ["servers/*", "!servers/old"] }

Each directory that a pattern fits, and that has an mcp.json, is a member. What all of them ask for is resolved
together: one version of a server in the whole workspace, and where two members cannot agree, mcpm names them.

  mcpm init -w servers/new              makes a member
  mcpm install                          at the root: what all members ask for; in a member: what that one does
  mcpm install -w @acme/web @acme/db    writes the mcp.json of that member
  mcpm update --filter "./servers/*"    for the members that a pattern fits

-w takes the name of a member, with or without its scope, or its directory, --filter a pattern; both may be given again. A member that
needs another asks for "workspace:^" (or ~, *, a range) in place of a range: it runs from its directory, and
mcpm publish writes the version that it has then.
`,
	"guard": `mcpm run and mcpm gateway have a guard between the host application and each server. What is in order passes
as it is; the rest is answered with an error that says why and what to do.

Tools are compared with how they were defined when they were first seen, or as the locked mcp.json declares them. One
with another description, schema or annotations, or one that is new, is kept back until you accept it:

  mcpm accept @acme/db               shows what is different, and asks
  mcpm log --denied                  what was refused, and why

Secrets that mcpm gave to a server are replaced in all it says. A call whose arguments hold one, or a token of a
known form, is not passed on. In ~/.mcpmrc, for a server or with * for all:

  "guard": {"@acme/db": {"tools": {"drop_*": "deny", "insert": "ask"}, "timeout": "90s"},
            "*": {"secrets": "mask", "maxResult": "4Mi"}}

tools      allow, ask or deny, by name or with *; ask asks in the host application, where that can ask
secrets    in arguments: block (the default), mask (a placeholder goes in their place), pass
maxResult  the largest message of a server; 16Mi
timeout    how long a call may take; 10m

"guard": false, or MCPM_GUARD=0, leaves it out. A project's .mcpmrc can only make it stricter. The guard is no
sandbox: a server that wants to tell a secret can spell it backwards.
`,
	"hosts": `Host applications are the programs that use MCP servers. mcpm adds each server you install to the ones it
finds on this machine: Claude Desktop, Claude Code, Cursor, VS Code, Windsurf, Zed, Codex and some thirty
more. They get the entry "mcpm run NAME", so an update needs no edit and no secret is in their files.

The edit keeps comments, order and indentation, in JSON, YAML and TOML; a file where that cannot be done is
left alone, and mcpm says what to change. The file as it was is kept under MCPM_HOME/backups, and mcpm
uninstall gives back the very bytes. An entry you made yourself is never touched: when its name is taken,
ours is called SCOPE-NAME. What you add to one of ours, or switch off in it, stays. --no-hosts leaves the
files alone; --host cursor adds a server to that application only, and keeps it so.

mcpm hosts list shows every application, mcpm hosts remove and add choose which of them get servers, mcpm
hosts diff and sync show and mend what is out of step, mcpm hosts restore puts back a backup. What you choose
is kept in .mcpmrc: "hosts": {"cursor": false, "*": true}, where * is all others. A project's .mcpmrc can leave
applications out for its own servers, never bring one in that yours leaves out.

mcpm hosts path HOST FILE says where an application keeps its file, kept as "hostPaths" in your own ~/.mcpmrc.
A project's .mcpmrc that has hostPaths stops mcpm: a repository must not say where mcpm writes.
`,
	"sandbox": `On Linux a server that came from a hub starts with what it was granted and nothing more. Granted is what the
permissions of its manifest ask for (mcpm help permissions), and what you allow beside:

  mcpm allow NAME net=api.acme.example:443   a host and port; *.acme.example:443, [2001:db8::1]:443, localhost:5432
  mcpm allow NAME read=~/Notes               a directory or file, to read
  mcpm allow NAME write=./out                and to change
  mcpm allow NAME env=TZ                     a variable of your environment
  mcpm allow NAME memory=2Gi                 that much memory
  mcpm allow NAME subprocess                 other programs
  mcpm allow NAME waive=limits               to start where the machine cannot enforce files, network, programs or limits

  mcpm allow NAME                            what it declares, and what you allow
  mcpm allow NAME --remove net=...           takes back
  mcpm allow NAME --everything               without a sandbox, with all of your rights; --reset ends that

It is kept under MCPM_HOME, for this project or with -g for all; no file of a repository can allow anything. With
mcpm run, test and gateway, --allow counts this time, --sandbox=false is without, and "sandbox": false in your own
~/.mcpmrc, or MCPM_SANDBOX=0, is without for all. A working copy (mcpm link) runs with your rights, unless --sandbox.
Where mcpm cannot make a sandbox a server does not start; where it is without one, mcpm run says so on stderr.

Everything else is not there: your files, your environment, the network, other processes, the container engine. The
server has an empty home and /tmp that are gone when it ends, and the system's programs and libraries to read.
What it was granted does not show keys: ~/.ssh, ~/.aws, browsers and the like are never seen, nor .env files that are
there when it starts. It reaches a granted host through a proxy of mcpm, and not at an address that is private or this
machine's, unless that address or localhost was granted. What knows nothing of proxies, such as a database driver or
older versions of Node, gets there too, at ports that a grant names, and at 80 and 443. What it tried to reach
besides, and a path in its arguments that it cannot see, is told on stderr with what would allow it.

What to grant, mcpm finds out: mcpm run --learn NAME runs the server like this, notes every host, file and program that it
tries, and at its end writes the permissions for them to stderr, and the mcpm allow that grants them; --learn-to FILE
writes them as JSON. It is let do no more by that. A server that stops at the first thing it may not have is learned further with what is known so far, or
with more than it can need: --learn --allow read=. --allow net=*:443 proposes what it then used of that. Files in
which keys are kept are named in a warning and never proposed.

It takes user namespaces, Landlock and seccomp of a kernel of 5.13 or later; mcpm doctor tries it. Where the system lets
only bubblewrap (bwrap) make namespaces, that makes them, and what knows nothing of proxies reaches nothing. Memory
(1 GiB if the manifest asks for nothing else), processes, processors and the size of files are bounded. A server that
listens on a port is reached there as without a sandbox.

On macOS and Windows a sandbox is for those who ask for it, with --sandbox or "sandbox": true, and cannot enforce all.
macOS confines files, the network and other programs, and bounds no memory or processes; Windows bounds those, takes
privileges, and confines nothing else. A server does not start with less than it should have, until you name what it goes
without: --allow waive=limits, or mcpm allow NAME waive=limits. Neither has been tried on such a machine yet.

mcpm run --sandbox=container runs a server of node or Python, with its locked packages, in a container instead, on an
image that you name by its digest in your ~/.mcpmrc; "sandbox": "container" there makes it the rule. A server that is a
program of its own stays in the native sandbox.

  "runtimeImage.node": "node@sha256:...", "runtimeImage.python": "..."

A server that is a container image gets a container of mcpm's own making, over the socket of Docker or Podman
("dockerRuntime" in .mcpmrc chooses): no network, no capability, a root that cannot be written, nobody's rights but yours,
and of what its command mounts (docker run -v) what you grant. The engine is told none of its values. Other programs
of the image are started only with subprocess, which an image needs that begins with a shell script.
`,
}

// Command rig runs a private Sigstore instance on loopback: the real services, their keys, and the files that
// clients need to use and to trust them.
package main

import (
	"fmt"
	"os"
)

const usage = `usage: rig up DIR              start an instance whose files are in DIR
       rig down DIR            stop it
       rig run DIR COMMAND...  start it, run the command, stop it
       rig token DIR EMAIL     print an identity token for that e-mail address
       rig serve WHAT ...      one of the helper services (used by rig itself)`

func main() {
	if err := dispatch(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "rig:", err)
		os.Exit(1)
	}
}

func dispatch(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "up":
		return up(args[1])
	case len(args) == 2 && args[0] == "down":
		return down(args[1])
	case len(args) >= 3 && args[0] == "run":
		return runWith(args[1], args[2:])
	case len(args) == 3 && args[0] == "token":
		return printToken(args[1], args[2])
	case len(args) >= 2 && args[0] == "serve":
		return serve(args[1], args[2:])
	}
	return fmt.Errorf("unknown arguments\n%s", usage)
}

func serve(what string, args []string) error {
	switch what {
	case "oidc":
		return serveIssuer(args)
	case "files":
		return serveFiles(args)
	case "tiles":
		return serveTiles(args)
	case "tsa":
		return serveTimestamps(args)
	case "trillian":
		return serveTrillian(args)
	case "witness":
		return serveWitness(args)
	}
	return fmt.Errorf("no helper service is called %q", what)
}

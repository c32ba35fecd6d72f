// Ory Hydra, an OpenID provider, as its own main does; here so that the fork of a dependency that
// its go.mod names by `replace` is used.
package main

import (
	"os"

	"github.com/ory/hydra/v2/cmd"
)

func main() {
	if err := cmd.NewRootCmd(nil, nil, nil).Execute(); err != nil {
		os.Exit(1)
	}
}

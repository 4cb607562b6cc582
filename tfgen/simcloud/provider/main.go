// Command provider is a Terraform provider plugin over a simulated cloud. It is
// aws, openstack or azurerm according to its file name, which Terraform prescribes:
// terraform-provider-aws_v6.47.0 is aws. See [github.com/scalerd/scalerd/tfgen/simcloud],
// whose Mirror builds it and puts it where Terraform looks.
package main

import (
	"fmt"
	"os"

	"github.com/scalerd/scalerd/tfgen/simcloud/plugin"
)

func main() {
	if err := plugin.Serve(os.Args[0], os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "simcloud:", err)
		os.Exit(1)
	}
}

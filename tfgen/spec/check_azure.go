package spec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

var subscriptionPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// reservedAdmins are names that Azure refuses for the first account (Virtual
// Machines - Create Or Update, osProfile.adminUsername).
var reservedAdmins = strings.Fields(`1 123 a actuser adm admin admin1 admin2 administrator aspnet backup console david
	guest john owner root server sql support support_388945a0 sys test test1 test2 test3 user user1 user2 user3 user4
	user5`)

// maxAzureName is the most characters of a machine's name in Azure, which has the
// application's and the node's name in it.
const maxAzureName = 64

func (c *checker) azure(app *Application, g *Group, path string) {
	a := g.Azure
	c.filled(path, "resource_group", a.ResourceGroup)
	c.filled(path, "virtual_network", a.VirtualNetwork)
	c.filled(path, "subnet", a.Subnet)
	c.filled(path, "size", a.Size)
	if a.Subscription != "" && c.fine(path+".subscription") && !subscriptionPattern.MatchString(a.Subscription) {
		c.mistake(path+".subscription", fmt.Sprintf("is %q, which is no subscription's identifier", a.Subscription), "write its identifier, such as 01234567-89ab-cdef-0123-456789abcdef, not its name")
	}
	c.oneOf(path, map[string]bool{"image": a.Image != nil, "image_id": a.ImageID != ""})
	c.azureAccount(a, path)
	c.texts(path+".zones", a.Zones)
	c.tags(path+".tags", a.Tags, 46, 512, 256)
	for _, name := range slices.Sorted(maps.Keys(a.Tags)) {
		if strings.ContainsAny(name, `<>%&\?/`) {
			c.mistake(strictyaml.JoinKey(path+".tags", name), `has one of <>%&\?/ in its name`, "rename it")
		}
	}
	if a.Spot != nil && c.fine(path+".spot.max_price") && a.Spot.MaxPrice != -1 && a.Spot.MaxPrice <= 0 {
		c.mistake(path+".spot.max_price", fmt.Sprintf("is %v", a.Spot.MaxPrice), "write US dollars per hour, or -1 for the on-demand price")
	}
	if a.Identity != nil && !a.Identity.System && len(a.Identity.IDs) == 0 && !c.doc.Wrong(path+".identity") {
		c.mistake(path+".identity", "is of no kind", "write system: true, or ids")
	}
	if length := len(app.Name) + len(g.Name) + len("--00000"); length > maxAzureName && c.fine("name", strings.TrimSuffix(path, ".azure")+".name") {
		c.mistake(path, fmt.Sprintf("makes machine names of %d characters out of the application's and the group's name, and Azure allows %d", length, maxAzureName), "shorten one of the names")
	}
}

func (c *checker) azureAccount(a *Azure, path string) {
	if c.fine(path+".admin_username") && slices.Contains(reservedAdmins, strings.ToLower(a.AdminUsername)) {
		c.mistake(path+".admin_username", fmt.Sprintf("is %q, which Azure does not allow", a.AdminUsername), "choose another name")
	}
	c.publicKey(path+".public_key", a.PublicKey)
	switch {
	case c.doc.Wrong(path + ".os"):
	case a.OS == AzureLinux && a.PublicKey == "" && !c.doc.Wrong(path):
		c.mistake(path, "has no public_key, which Linux machines are entered with", "add public_key, or write os: windows")
	case a.OS == AzureLinux && a.AdminPassword != "":
		c.mistake(path+".admin_password_credential", "is for os: windows", "remove it; Linux machines have a public_key")
	case a.OS == AzureWindows && a.PublicKey != "":
		c.mistake(path+".public_key", "is for os: linux", "remove it; Windows machines have a password from the credentials")
	}
}

package tfgen

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// OrphansName is the directory name of the root module through which machines go
// that nobody wants.
const OrphansName = "orphans"

// AdoptFile is the name of the file of a shard that lets Terraform take over what
// exists already. It is there only until a step has done so. Its ending keeps it
// apart from what the description generates.
const AdoptFile = "adopt.tf.json"

// Adopt is the content of AdoptFile: import blocks, by resource address.
func Adopt(ids map[string]string) ([]byte, error) {
	type block struct {
		To string `json:"to"`
		ID string `json:"id"`
	}
	blocks := []block{}
	for _, address := range slices.Sorted(maps.Keys(ids)) {
		blocks = append(blocks, block{To: address, ID: ids[address]})
	}
	text, err := json.MarshalIndent(map[string]any{"import": blocks}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode import blocks: %w", err)
	}
	return append(text, '\n'), nil
}

// DecodeAdopt reads what Adopt wrote.
func DecodeAdopt(text []byte) (map[string]string, error) {
	var file struct {
		Import []struct {
			To string `json:"to"`
			ID string `json:"id"`
		} `json:"import"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("decode import blocks: %w", err)
	}
	ids := map[string]string{}
	for _, block := range file.Import {
		ids[block.To] = block.ID
	}
	return ids, nil
}

// OrphanRank orders the types that Lookup finds: what has a lower rank uses what
// has a higher one, and is deleted before it.
func OrphanRank(kind string) int {
	switch kind {
	case azureInterface, openstackPort:
		return 1
	case azurePublicIP:
		return 2
	default:
		return 0
	}
}

// Orphans generates the file of the root module that takes over found resources of
// a group to destroy them: as they are, because every change of them is ignored. It
// returns their addresses too. The module's other files are those of the lookup that
// found them.
func Orphans(app, group string, found []Found) (File, []string, error) {
	f := newFile(&spec.Application{Name: app}, &spec.Group{Name: group})
	var addresses []string
	for i, orphan := range found {
		if i > 0 {
			f.Body().AppendNewline()
		}
		address, err := appendOrphan(f.Body(), i, orphan)
		if err != nil {
			return File{}, nil, err
		}
		addresses = append(addresses, address)
	}
	return finish("main.tf", f), addresses, nil
}

// appendOrphan writes a resource with the least that its schema asks for, and the
// import of what it stands for. It returns the address.
func appendOrphan(body *hclwrite.Body, i int, orphan Found) (string, error) {
	label := fmt.Sprintf("orphan_%d", i)
	address := orphan.Type + "." + label
	block := body.AppendNewBlock("resource", []string{orphan.Type, label}).Body()
	if !orphanArguments(block, orphan.Type) {
		return "", fmt.Errorf("resource %s of type %s: this type is not taken over", orphan.ID, orphan.Type)
	}
	ignoreChanges(block, nil, "It is taken over as it is, only to be destroyed.")
	body.AppendNewline()
	imported := body.AppendNewBlock("import", nil).Body()
	setExpr(imported, "to", "%s", address)
	imported.SetAttributeValue("id", cty.StringVal(orphan.ID))
	return address, nil
}

// unused and unusedID stand for arguments that are asked for and then ignored.
const (
	unused   = "unused"
	unusedID = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/unused/providers/"
)

func orphanArguments(block *hclwrite.Body, kind string) bool {
	required := func(names ...string) {
		for _, name := range names {
			block.SetAttributeValue(name, cty.StringVal(unused))
		}
	}
	switch kind {
	case ec2Machine:
		required("ami", "instance_type")
	case openstackMachine:
		required("name", "image_id", "flavor_id")
	case openstackPort:
		required("network_id")
	case azurePublicIP:
		required("name", "resource_group_name", "location")
		block.SetAttributeValue("allocation_method", cty.StringVal("Static"))
	case azureInterface:
		required("name", "resource_group_name", "location")
		address := block.AppendNewBlock("ip_configuration", nil).Body()
		address.SetAttributeValue("name", cty.StringVal(unused))
		address.SetAttributeValue("private_ip_address_allocation", cty.StringVal("Dynamic"))
	case azureLinux, azureWindows:
		required("name", "resource_group_name", "location", "size", "admin_username")
		block.SetAttributeValue("source_image_id", cty.StringVal(unusedID+"Microsoft.Compute/images/unused"))
		block.SetAttributeValue("admin_password", cty.StringVal("Unused-0"))
		if kind == azureLinux {
			block.SetAttributeValue("disable_password_authentication", cty.False)
		}
		setExpr(block, "network_interface_ids", "[%s]", quote(unusedID+"Microsoft.Network/networkInterfaces/unused"))
		disk := block.AppendNewBlock("os_disk", nil).Body()
		disk.SetAttributeValue("caching", cty.StringVal("ReadWrite"))
		disk.SetAttributeValue("storage_account_type", cty.StringVal("Standard_LRS"))
	default:
		return false
	}
	return true
}

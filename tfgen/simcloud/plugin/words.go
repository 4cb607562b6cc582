package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// inWords is an error in a provider's words, which begin and end as they like.
func inWords(format string, args ...any) error { return saying(fmt.Sprintf(format, args...)) }

type saying string

func (s saying) Error() string { return string(s) }

// words says an error as the real provider says it, so that what reads Terraform's
// messages can be tested. Errors that no fault made are in these words already.
func (s *Server) words(c *change, call simcloud.Call, o *object, err error) error {
	var refusal *simcloud.Refusal
	interrupted := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if !errors.As(err, &refusal) && !interrupted {
		return err
	}
	if refusal != nil && refusal.Fault.Message != "" {
		return errors.New(refusal.Fault.Message)
	}
	say := map[string]func(*change, simcloud.Call, *object, *simcloud.Refusal) string{
		"aws": awsWords, "openstack": openstackWords, "azurerm": azureWords,
	}[s.schema.Name]
	if interrupted {
		return fmt.Errorf("%s: %w", say(c, call, o, nil), context.Canceled)
	}
	return errors.New(say(c, call, o, refusal))
}

// awsWords follow the AWS SDK for Go v2. Without a refusal it is what was being done.
func awsWords(c *change, call simcloud.Call, o *object, r *simcloud.Refusal) string {
	title, api := c.kind.title, c.kind.call
	if title == "" {
		title, api = c.typ, "Describe"
	}
	doing := map[simcloud.Operation]string{
		simcloud.Create: "creating " + title, simcloud.Lookup: "reading " + title,
		simcloud.Read:   fmt.Sprintf("reading %s (%s)", title, o.str("id")),
		simcloud.Update: fmt.Sprintf("updating %s (%s)", title, o.str("id")),
		simcloud.Remove: fmt.Sprintf("deleting %s (%s)", title, o.str("id")),
	}[call.Operation]
	if r == nil {
		return doing
	}
	if call.Operation != simcloud.Create {
		api = map[simcloud.Operation]string{
			simcloud.Read: "Describe", simcloud.Lookup: "Describe", simcloud.Update: "Modify", simcloud.Remove: "Delete",
		}[call.Operation] + strings.ReplaceAll(strings.TrimPrefix(title, "EC2 "), " ", "")
	}
	refused := func(status int, code, message string) string {
		return fmt.Sprintf("%s: operation error EC2: %s, https response error StatusCode: %d, RequestID: %s, api error %s: %s",
			doing, api, status, uuidOf(api, r.Fault.ID, o.str("id")), code, message)
	}
	switch r.Kind {
	case simcloud.Quota:
		if strings.Contains(c.typ, "spot") || o.spot() {
			return refused(400, "MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
		}
		return refused(400, "VcpuLimitExceeded", fmt.Sprintf("You have requested more vCPU capacity than your current vCPU limit of %d allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.", r.Fault.Limit))
	case simcloud.NoCapacity:
		where := "the Availability Zone you requested"
		if call.Zone != "" {
			where += " (" + call.Zone + ")"
		}
		return refused(500, "InsufficientInstanceCapacity", fmt.Sprintf("We currently do not have sufficient %s capacity in %s. Our system will be working on provisioning additional capacity. You can currently get %s capacity by not specifying an Availability Zone in your request or choosing another one.", call.Size, where, call.Size))
	case simcloud.Throttle:
		return refused(503, "RequestLimitExceeded", "Request limit exceeded.")
	case simcloud.Lost:
		return fmt.Sprintf(`%s: operation error EC2: %s, exceeded maximum number of attempts, 25, https response error StatusCode: 0, RequestID: , request send failed, Post "https://ec2.%s.amazonaws.com/": read tcp 10.0.0.2:51234->198.18.0.1:443: read: connection reset by peer`, doing, api, o.str("region"))
	case simcloud.Timeout:
		return fmt.Sprintf("waiting for %s (%s) %s: timeout while waiting for state to become 'running' (last state: 'pending', timeout: 10m0s)", title, o.str("id"), call.Operation)
	}
	return refused(500, "InternalError", "An internal error has occurred")
}

// spot says whether an aws_instance is to be a spot instance.
func (o *object) spot() bool {
	for _, b := range o.blocks("instance_market_options") {
		if b.str("market_type") == "spot" {
			return true
		}
	}
	return false
}

// openstackWords follow gophercloud. Without a refusal it is what was being done.
func openstackWords(c *change, call simcloud.Call, o *object, r *simcloud.Refusal) string {
	title, api := c.kind.title, c.kind.call
	if title == "" {
		title, api = c.typ, c.typ
	}
	doing := map[simcloud.Operation]string{
		simcloud.Create: "Error creating OpenStack " + title, simcloud.Lookup: "Unable to query " + title,
		simcloud.Read:   fmt.Sprintf("Error retrieving OpenStack %s %s", title, o.str("id")),
		simcloud.Update: fmt.Sprintf("Error updating OpenStack %s %s", title, o.str("id")),
		simcloud.Remove: fmt.Sprintf("Error deleting OpenStack %s %s", title, o.str("id")),
	}[call.Operation]
	if r == nil {
		return doing
	}
	verb, good := map[simcloud.Operation]string{
		simcloud.Create: "POST", simcloud.Update: "PUT", simcloud.Remove: "DELETE",
	}[call.Operation], "[201 202]"
	if verb == "" {
		verb, good = "GET", "[200]"
	}
	address := "https://" + strings.Split(call.Account+"//", "/")[1] + "/" + api
	refused := func(status int, body string) string {
		return fmt.Sprintf("%s: Expected HTTP response code %s when accessing [%s %s], but got %d instead: %s", doing, good, verb, address, status, body)
	}
	switch r.Kind {
	case simcloud.Quota:
		return refused(403, fmt.Sprintf(`{"forbidden": {"code": 403, "message": "Quota exceeded for instances: Requested 1, but already used %d of %d instances"}}`, r.Fault.Limit, r.Fault.Limit))
	case simcloud.NoCapacity:
		return fmt.Sprintf("Error waiting for instance (%s) to become ready: unexpected state 'ERROR', wanted target 'ACTIVE'. last error: No valid host was found. There are not enough hosts available.", o.str("id"))
	case simcloud.Throttle:
		return refused(429, `{"overLimit": {"code": 429, "message": "This request was rate-limited.", "retryAfter": "1"}}`)
	case simcloud.Lost:
		return fmt.Sprintf(`%s: %s "%s": read tcp 10.0.0.2:51234->198.18.0.1:443: read: connection reset by peer`, doing, verb, address)
	case simcloud.Timeout:
		return fmt.Sprintf("Error waiting for %s (%s) to become ready: timeout while waiting for state to become 'ACTIVE' (last state: 'BUILD', timeout: 30m0s)", title, o.str("id"))
	}
	return refused(500, `{"computeFault": {"code": 500, "message": "Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the Nova API log if possible.\n<class 'oslo_messaging.exceptions.MessagingTimeout'>"}}`)
}

// azureWords follow go-azure-sdk. Without a refusal it is what was being done.
func azureWords(c *change, call simcloud.Call, o *object, r *simcloud.Refusal) string {
	title := c.kind.title
	if title == "" {
		title = c.typ
	}
	doing := map[simcloud.Operation]string{
		simcloud.Create: "creating", simcloud.Update: "updating", simcloud.Remove: "deleting",
	}[call.Operation]
	if doing == "" {
		doing = "retrieving"
	}
	api := map[string]string{"creating": "CreateOrUpdate", "updating": "Update", "deleting": "Delete", "retrieving": "Get"}[doing]
	doing = fmt.Sprintf("%s %s (Subscription: %q\nResource Group Name: %q\nName: %q)", doing, title,
		c.server.account.number, o.str("resource_group_name"), o.str("name"))
	if r == nil {
		return doing
	}
	refused := func(status, code, message string) string {
		return fmt.Sprintf("%s: performing %s: unexpected status %s with error: %s: %s", doing, api, status, code, message)
	}
	switch r.Kind {
	case simcloud.Quota:
		n := r.Fault.Limit
		return refused("409 (409 Conflict)", "OperationNotAllowed", fmt.Sprintf("Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional details - Deployment Model: Resource Manager, Location: %s, Current Limit: %d, Current Usage: %d, Additional Required: 1, (Minimum) New Limit Required: %d. Please read more about quota limits at https://docs.microsoft.com/en-us/azure/azure-supportability/regional-quota-requests", o.str("location"), n, n, n+1))
	case simcloud.NoCapacity:
		if call.Zone != "" {
			return refused("409 (409 Conflict)", "ZonalAllocationFailed", "Allocation failed. We do not have sufficient capacity for the requested VM size in this zone. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance")
		}
		return refused("409 (409 Conflict)", "SkuNotAvailable", fmt.Sprintf("The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: %s' is currently not available in location '%s'. Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details.", call.Size, o.str("location")))
	case simcloud.Throttle:
		return refused("429 (429 Too Many Requests)", "OperationNotAllowed", "The server rejected the request because too many requests have been received for this subscription.")
	case simcloud.Lost:
		return fmt.Sprintf(`%s: performing %s: Put "https://management.azure.com%s": read tcp 10.0.0.2:51234->198.18.0.1:443: read: connection reset by peer`, doing, api, o.str("id"))
	case simcloud.Timeout:
		return fmt.Sprintf("%s: polling after %s: context deadline exceeded", doing, api)
	}
	return refused("500 (500 Internal Server Error)", "InternalServerError", "An internal error has occurred. Please retry later.")
}

// exists is the error of a creation whose id is taken.
func (s *Server) exists(c *change, o *object) error {
	id := o.str("id")
	switch s.schema.Name {
	case "azurerm":
		return inWords("A resource with the ID %q already exists - to be managed via Terraform this resource needs to be imported into the State. Please see the resource documentation for %q for more information", id, c.typ)
	case "openstack":
		return inWords(`Unable to create %s %s: Expected HTTP response code [200 201] when accessing [POST https://%s/os-keypairs], but got 409 instead: {"conflictingRequest": {"code": 409, "message": "Key pair '%s' already exists."}}`, c.typ, id, "nova", id)
	}
	code, what := "InvalidGroup.Duplicate", "security group"
	switch c.typ {
	case "aws_key_pair":
		code, what = "InvalidKeyPair.Duplicate", "keypair"
	case "aws_placement_group":
		code, what = "InvalidPlacementGroup.Duplicate", "placement group"
	}
	return fmt.Errorf("creating %s (%s): operation error EC2: %s, https response error StatusCode: 400, RequestID: %s, api error %s: The %s already exists", c.kind.title, id, c.kind.call, uuidOf(id), code, what)
}

// notFound is the error of a change of something that is gone.
func (s *Server) notFound(c *change, o *object) error {
	id := o.str("id")
	switch s.schema.Name {
	case "azurerm":
		return fmt.Errorf("retrieving %s %s: unexpected status 404 (404 Not Found) with error: ResourceNotFound: The Resource was not found", c.kind.title, id)
	case "openstack":
		return inWords(`Error updating OpenStack %s: Expected HTTP response code [200] but got 404 instead: {"itemNotFound": {"code": 404, "message": "Resource %s could not be found."}}`, c.kind.title, id)
	}
	return fmt.Errorf("updating %s (%s): operation error EC2: Modify, https response error StatusCode: 400, RequestID: %s, api error InvalidInstanceID.NotFound: The ID '%s' does not exist", c.kind.title, id, uuidOf(id), id)
}

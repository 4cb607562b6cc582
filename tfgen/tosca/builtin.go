package tosca

import "github.com/scalerd/scalerd/tfgen/spec"

// builtInType is what there is to know of one of MiCADO's types: its parent, the
// defaults of its properties, and the orchestrator whose create stage it has.
type builtInType struct {
	parent       string
	defaults     map[string]any
	orchestrator string
	// endpoint says that the create stage takes the property endpoint.
	endpoint bool
}

const (
	micado        = "tosca.nodes.MiCADO."
	scalingPolicy = "tosca.policies.Scaling.MiCADO"
)

// builtInNodes are the node types of all versions of MiCADO, and the normative
// ones that they derive from.
var builtInNodes = map[string]builtInType{
	"tosca.nodes.Root":                                  {},
	"tosca.nodes.Compute":                               {parent: "tosca.nodes.Root"},
	"tosca.nodes.SoftwareComponent":                     {parent: "tosca.nodes.Root"},
	"tosca.nodes.Container.Runtime":                     {parent: "tosca.nodes.SoftwareComponent"},
	"tosca.nodes.Container.Application":                 {parent: "tosca.nodes.Root"},
	"tosca.nodes.Container.Application.Docker":          {parent: "tosca.nodes.Container.Application"},
	"tosca.nodes.BlockStorage":                          {parent: "tosca.nodes.Root"},
	"tosca.nodes.ObjectStorage":                         {parent: "tosca.nodes.Root"},
	"tosca.nodes.network.Network":                       {parent: "tosca.nodes.Root"},
	micado + "Compute":                                  {parent: "tosca.nodes.Compute"},
	micado + "EC2.Compute":                              {parent: micado + "Compute"},
	micado + "EC2.Compute.Terra":                        {parent: micado + "EC2.Compute", defaults: map[string]any{"region_name": "eu-west-2"}, orchestrator: "Terraform"},
	micado + "EC2.Compute.Occo":                         {parent: micado + "EC2.Compute", defaults: map[string]any{"region_name": "eu-west-2", "endpoint": "https://ec2.eu-west-2.amazonaws.com"}, orchestrator: "Occopus", endpoint: true},
	micado + "Nova.Compute":                             {parent: micado + "Compute"},
	micado + "EGI.Compute":                              {parent: micado + "Nova.Compute"},
	micado + "Azure.Compute":                            {parent: micado + "Compute"},
	micado + "GCE.Compute":                              {parent: micado + "Compute"},
	micado + "OCI.Compute":                              {parent: micado + "Compute"},
	micado + "CloudSigma.Compute":                       {parent: micado + "Compute"},
	micado + "CloudSigma.Compute.Occo":                  {parent: micado + "CloudSigma.Compute"},
	micado + "CloudSigma.Compute.Occo.small":            {parent: micado + "CloudSigma.Compute.Occo"},
	micado + "CloudSigma.Compute.Occo.big":              {parent: micado + "CloudSigma.Compute.Occo"},
	micado + "CloudSigma.Compute.Occo.small.NFS":        {parent: micado + "CloudSigma.Compute.Occo.small"},
	micado + "CloudBroker.Compute":                      {parent: micado + "Compute"},
	micado + "Occopus.EC2.Compute":                      {parent: micado + "EC2.Compute"},
	micado + "Occopus.Nova.Compute":                     {parent: micado + "Nova.Compute"},
	micado + "Occopus.CloudSigma.Compute":               {parent: micado + "CloudSigma.Compute"},
	micado + "Occopus.CloudBroker.Compute":              {parent: micado + "CloudBroker.Compute"},
	micado + "Edge":                                     {parent: "tosca.nodes.Root"},
	micado + "Edge.EC2":                                 {parent: micado + "EC2.Compute"},
	micado + "Edge.Nova":                                {parent: micado + "Nova.Compute"},
	micado + "Edge.Azure":                               {parent: micado + "Azure.Compute"},
	micado + "Edge.GCE":                                 {parent: micado + "GCE.Compute"},
	micado + "Edge.OCI":                                 {parent: micado + "OCI.Compute"},
	micado + "Kubernetes":                               {parent: "tosca.nodes.Root"},
	micado + "Container.Application.Docker":             {parent: "tosca.nodes.Container.Application.Docker"},
	micado + "Container.Application.Pod":                {parent: "tosca.nodes.Container.Application"},
	micado + "Container.Pod.Kubernetes":                 {parent: micado + "Container.Application.Pod"},
	micado + "Container.Volume":                         {parent: "tosca.nodes.Root"},
	micado + "Container.Config":                         {parent: "tosca.nodes.Root"},
	micado + "network.Network":                          {parent: "tosca.nodes.network.Network"},
	micado + "network.Network.Swarm":                    {parent: "tosca.nodes.network.Network"},
	"micado.microservice":                               {parent: micado + "Container.Application.Docker"},
	"micado.deployment":                                 {parent: micado + "Compute"},
	micado + "Container.Application.Docker.Init":        {parent: micado + "Container.Application.Docker"},
	micado + "Container.Application.Docker.Job":         {parent: micado + "Container.Application.Docker"},
	micado + "Container.Application.Docker.Swarm":       {parent: micado + "Container.Application.Docker"},
	micado + "Container.Application.Pod.Job":            {parent: micado + "Container.Application.Pod"},
	micado + "Container.Config.ConfigMap":               {parent: micado + "Container.Config"},
	micado + "Container.Config.Kubernetes":              {parent: micado + "Container.Config"},
	micado + "Container.Volume.EmptyDir":                {parent: micado + "Container.Volume"},
	micado + "Container.Volume.HostPath":                {parent: micado + "Container.Volume"},
	micado + "Container.Volume.Local":                   {parent: micado + "Container.Volume"},
	micado + "Container.Volume.NFS":                     {parent: micado + "Container.Volume"},
	micado + "Container.Volume.GlusterFS":               {parent: micado + "Container.Volume"},
	micado + "Container.Application.Docker.DaemonSet":   {parent: micado + "Container.Application.Docker"},
	micado + "Container.Application.Docker.Deployment":  {parent: micado + "Container.Application.Docker"},
	micado + "Container.Application.Docker.StatefulSet": {parent: micado + "Container.Application.Docker"},
	micado + "Container.Application.Pod.DaemonSet":      {parent: micado + "Container.Application.Pod"},
	micado + "Container.Application.Pod.Deployment":     {parent: micado + "Container.Application.Pod"},
	micado + "Container.Application.Pod.StatefulSet":    {parent: micado + "Container.Application.Pod"},
}

// cloudTypes are the types whose descendants are machines of a cloud that this
// version deploys to.
var cloudTypes = map[string]spec.Cloud{
	micado + "EC2.Compute":   spec.CloudEC2,
	micado + "Nova.Compute":  spec.CloudOpenStack,
	micado + "Azure.Compute": spec.CloudAzure,
}

// otherClouds are the types whose descendants are machines of other clouds.
var otherClouds = map[string]string{
	micado + "GCE.Compute":         "Google Compute Engine",
	micado + "OCI.Compute":         "Oracle Cloud",
	micado + "CloudSigma.Compute":  "CloudSigma",
	micado + "CloudBroker.Compute": "CloudBroker",
}

// kinds say what nodes that are not deployed are.
var kinds = []struct{ ancestor, kind string }{
	{micado + "Edge", "machine at the edge"},
	{micado + "Container.Volume", "volume"},
	{micado + "Container.Config", "configuration"},
	{micado + "Container.Application.Pod", "pod"},
	{micado + "Kubernetes", "Kubernetes resource"},
	{"tosca.nodes.Container.Application", "container"},
	{"tosca.nodes.network.Network", "network"},
	{"tosca.nodes.Root", "node without a machine"},
}

// builtInPolicies are the policy types of MiCADO and the normative ones.
var builtInPolicies = map[string]builtInType{
	"tosca.policies.Root":                                                {},
	"tosca.policies.Placement":                                           {parent: "tosca.policies.Root"},
	"tosca.policies.Scaling":                                             {parent: "tosca.policies.Root"},
	"tosca.policies.Update":                                              {parent: "tosca.policies.Root"},
	"tosca.policies.Performance":                                         {parent: "tosca.policies.Root"},
	"tosca.policies.Monitoring":                                          {parent: "tosca.policies.Root"},
	"tosca.policies.Alerting":                                            {parent: "tosca.policies.Root"},
	"tosca.policies.Security":                                            {parent: "tosca.policies.Root"},
	scalingPolicy:                                                        {parent: "tosca.policies.Scaling"},
	"tosca.policies.Monitoring.MiCADO":                                   {parent: "tosca.policies.Monitoring"},
	"tosca.policies.Alerting.MiCADO":                                     {parent: "tosca.policies.Alerting"},
	"tosca.policies.Security.MiCADO":                                     {parent: "tosca.policies.Security"},
	"tosca.policies.Security.MiCADO.Network":                             {parent: "tosca.policies.Security.MiCADO"},
	"tosca.policies.Security.MiCADO.Network.Passthrough":                 {parent: "tosca.policies.Security.MiCADO.Network"},
	"tosca.policies.Security.MiCADO.Network.L7Proxy":                     {parent: "tosca.policies.Security.MiCADO.Network"},
	"tosca.policies.Security.MiCADO.Network.SmtpProxy":                   {parent: "tosca.policies.Security.MiCADO.Network.L7Proxy"},
	"tosca.policies.Security.MiCADO.Network.HttpProxy":                   {parent: "tosca.policies.Security.MiCADO.Network.L7Proxy"},
	"tosca.policies.Security.MiCADO.Network.HttpURIFilterProxy":          {parent: "tosca.policies.Security.MiCADO.Network.HttpProxy"},
	"tosca.policies.Security.MiCADO.Network.HttpWebdavProxy":             {parent: "tosca.policies.Security.MiCADO.Network.HttpProxy"},
	"tosca.policies.Security.MiCADO.Secret":                              {parent: "tosca.policies.Security.MiCADO"},
	"tosca.policies.Security.MiCADO.Secret.KubernetesSecretDistribution": {parent: "tosca.policies.Security.MiCADO.Secret"},
	"tosca.policies.Execution":                                           {parent: "tosca.policies.Root"},
	"tosca.policies.Execution.Schedule":                                  {parent: "tosca.policies.Execution"},
	"tosca.policies.Placement.Requirement.Location":                      {parent: "tosca.policies.Placement"},
	"tosca.policies.Placement.Requirement.Connection":                    {parent: "tosca.policies.Placement"},
	"tosca.policies.Scaling.Performance.Consumption":                     {parent: "tosca.policies.Scaling"},
	"tosca.policies.Scaling.Performance.Consumption.Simple":              {parent: "tosca.policies.Scaling"},
	"tosca.policies.Scaling.Performance.Completion":                      {parent: "tosca.policies.Scaling"},
}

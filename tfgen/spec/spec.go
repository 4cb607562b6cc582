package spec

import (
	"time"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Duration is a length of time that is written in YAML as Go writes it: "90s",
// "5m", "1h30m".
type Duration = strictyaml.Duration

// Application is one description: node groups that belong together, what is
// measured about them, and the policies that size them.
type Application struct {
	// Name identifies the application in the daemon, on disk and in labels.
	Name string `yaml:"name" jsonschema:"required" jsonschema_description:"Name of the application: lower-case letters, digits and dashes, at most 40."`
	// Dir is the folder of the description, from which the paths in it count. A
	// relative one counts from the working directory.
	Dir string `yaml:"-"`
	// Interval is the time between two ticks; node metrics are scraped as often.
	Interval Duration `yaml:"interval" jsonschema_description:"Time between two decisions, and between two scrapes of a node. Default 15s."`
	// Monitoring says where metrics come from.
	Monitoring Monitoring `yaml:"monitoring" jsonschema_description:"Where metrics come from. Without it every node is scraped by scalerd itself."`
	// Backend says where Terraform keeps the states; nil is in files.
	Backend *Backend `yaml:"backend" jsonschema_description:"Where Terraform keeps the states. Without it they are files in scalerd's data folder."`
	// Constants are values that every group's rules can use by name.
	Constants map[string]any `yaml:"constants" jsonschema_description:"Values that the rules of every group can use by name."`
	// Queries are PromQL expressions that every group's policies can use by name.
	Queries map[string]Query `yaml:"queries" jsonschema_description:"PromQL expressions by name, for the policies of every group. [expression, label] gives rules the list of that label's values."`
	// Alerts are conditions that every group's rules can use by name, as true or
	// false.
	Alerts []Alert `yaml:"alerts" jsonschema_description:"Conditions that the rules of every group can use by name, as true or false."`
	// SharedUserData makes m_userdata one value for all rules of the application, in
	// the order of the description, as it is in MiCADO.
	SharedUserData bool `yaml:"shared_userdata" jsonschema_description:"Makes m_userdata one value for all rules, as in MiCADO. Default false: each rule has its own."`
	// Groups are the node groups, in the order of the description.
	Groups []Group `yaml:"groups" jsonschema:"required,minItems=1" jsonschema_description:"The node groups."`
	// NotDeployed is what a TOSCA template describes besides node groups. It is kept
	// and shown, and nothing is made of it.
	NotDeployed []NotDeployed `yaml:"not_deployed" jsonschema_description:"Parts of a TOSCA template that this version keeps and does not deploy, such as containers."`
}

// NotDeployed is a part of a TOSCA template that is kept and not deployed: a
// container, a volume, a configuration, a policy for one of them.
type NotDeployed struct {
	// Name and Type are the template's own.
	Name string `yaml:"name" jsonschema:"required" jsonschema_description:"Name in the TOSCA template."`
	// Type is a TOSCA type name.
	Type string `yaml:"type" jsonschema:"required" jsonschema_description:"TOSCA type."`
	// Definition is what the template says of it, with inputs resolved.
	Definition map[string]any `yaml:"definition" jsonschema_description:"What the template says of it."`
}

// Alert is a condition over metrics, as Prometheus' alerting rules write it. A
// rule sees it by name: true while it has held throughout For.
type Alert struct {
	// Name is the variable that rules see.
	Name string `yaml:"alert" jsonschema:"required" jsonschema_description:"Name of the alert, and of the variable that rules see."`
	// Expr is a PromQL expression that has a result while the condition holds.
	Expr string `yaml:"expr" jsonschema:"required" jsonschema_description:"PromQL expression that has a result while the condition holds."`
	// For is how long the condition must hold before the alert is true.
	For Duration `yaml:"for" jsonschema_description:"How long the condition must hold. Default 0s."`
	// Labels and Annotations are kept for an external Prometheus' rule file.
	Labels map[string]string `yaml:"labels" jsonschema_description:"Labels of the alert, for an external Prometheus."`
	// Annotations are the texts that go with the alert.
	Annotations map[string]string `yaml:"annotations" jsonschema_description:"Annotations of the alert, for an external Prometheus."`
}

// Monitoring says where an application's metrics come from: scraped and kept by
// scalerd itself, or asked of a Prometheus that exists already.
type Monitoring struct {
	// Prometheus, when set, answers every query of the application.
	Prometheus *Prometheus `yaml:"prometheus" jsonschema_description:"An existing Prometheus that answers the queries; without it scalerd scrapes and keeps the metrics itself."`
	// Targets are scraped besides the nodes. They are for the embedded monitoring.
	Targets []ScrapeTarget `yaml:"targets" jsonschema_description:"What to scrape besides the nodes (embedded monitoring only)."`
}

// Prometheus is an existing Prometheus server, or anything that speaks its HTTP
// query API.
type Prometheus struct {
	// URL is the server's base address, with its path prefix if it has one.
	URL string `yaml:"url" jsonschema:"required" jsonschema_description:"Base address, such as https://prometheus.example:9090."`
	// BearerTokenFile names a file that holds a bearer token.
	BearerTokenFile string `yaml:"bearer_token_file" jsonschema_description:"File that holds a bearer token."`
	// Username and PasswordFile are for HTTP basic authentication.
	Username string `yaml:"username" jsonschema_description:"User for HTTP basic authentication."`
	// PasswordFile names a file that holds the password of Username.
	PasswordFile string `yaml:"password_file" jsonschema_description:"File that holds the password for HTTP basic authentication."`
	// CAFile, CertFile and KeyFile are PEM files for TLS.
	CAFile string `yaml:"ca_file" jsonschema_description:"PEM file of the certificate authorities to trust instead of the system's."`
	// CertFile is the client certificate.
	CertFile string `yaml:"cert_file" jsonschema_description:"PEM file of the client certificate."`
	// KeyFile is the key of CertFile.
	KeyFile string `yaml:"key_file" jsonschema_description:"PEM file of the client certificate's key."`
	// Alerts says who tells whether an alert fires.
	Alerts AlertSource `yaml:"alerts" jsonschema:"enum=evaluate,enum=receive" jsonschema_description:"evaluate: the alerts' expressions are asked of this Prometheus at each tick. receive: its Alertmanager says so, to POST /v1/alerts. Default evaluate."`
	// AlertTimeout is how long a received alert fires after its last notification where
	// none says that it is resolved, nor when it ends; 0 is forever.
	AlertTimeout Duration `yaml:"alert_timeout" jsonschema_description:"With alerts: receive, how long an alert fires after its last notification where nothing says that it ended: more than the repeat_interval of the Alertmanager's route. 0s is forever. Default 9h, two of Alertmanager's default intervals."`
	// FileSD is where the node targets are written for this Prometheus to read.
	FileSD string `yaml:"file_sd" jsonschema_description:"File to write the node targets to, for a file_sd_configs entry of this Prometheus. Default <data>/apps/<application>/targets.json."`
}

// AlertSource says who tells whether an alert fires.
type AlertSource string

const (
	// AlertsEvaluate asks for the alerts' expressions at each tick.
	AlertsEvaluate AlertSource = "evaluate"
	// AlertsReceive waits for an Alertmanager's notifications.
	AlertsReceive AlertSource = "receive"
)

// DefaultAlertTimeout is more than two of Alertmanager's default repeat intervals of
// 4 h, so that one lost notification ends nothing.
const DefaultAlertTimeout = Duration(9 * time.Hour)

// ScrapeTarget is one job of the embedded monitoring besides the nodes.
type ScrapeTarget struct {
	// Job becomes the job label.
	Job string `yaml:"job" jsonschema:"required" jsonschema_description:"Value of the job label."`
	// Addresses are host:port.
	Addresses []string `yaml:"addresses" jsonschema:"required,minItems=1" jsonschema_description:"host:port of each endpoint."`
	// Path is the metrics path.
	Path string `yaml:"path" jsonschema_description:"Path of the metrics page. Default /metrics."`
	// Labels are added to every series.
	Labels map[string]string `yaml:"labels" jsonschema_description:"Labels added to every series."`
}

// Cloud names the kind of place where a group's nodes run.
type Cloud string

const (
	// CloudLocal runs each node as a process on scalerd's own machine.
	CloudLocal Cloud = "local"
	// CloudEC2 is Amazon EC2, or anything that speaks its API.
	CloudEC2 Cloud = "ec2"
	// CloudOpenStack is an OpenStack project.
	CloudOpenStack Cloud = "openstack"
	// CloudAzure is a resource group of Microsoft Azure.
	CloudAzure Cloud = "azure"
	// CloudModule is whatever a Terraform module of the user's makes.
	CloudModule Cloud = "module"
)

// Clouds are all clouds.
var Clouds = []Cloud{CloudLocal, CloudEC2, CloudOpenStack, CloudAzure, CloudModule}

// Group is a set of interchangeable nodes.
type Group struct {
	// Name is part of every node's name: <group>-0001.
	Name string `yaml:"name" jsonschema:"required" jsonschema_description:"Name of the group: lower-case letters, digits and dashes, at most 40."`
	// Cloud is where the nodes run.
	Cloud Cloud `yaml:"cloud" jsonschema:"required,enum=local,enum=ec2,enum=openstack,enum=azure,enum=module" jsonschema_description:"Where the nodes run."`
	// Min and Max bound the number of nodes, both included.
	Min int `yaml:"min" jsonschema:"minimum=0" jsonschema_description:"Fewest nodes. Default 1."`
	// Max is the most nodes.
	Max int `yaml:"max" jsonschema:"required,minimum=1" jsonschema_description:"Most nodes."`
	// Initial is the number of nodes at the first apply.
	Initial int `yaml:"initial" jsonschema:"minimum=0" jsonschema_description:"Nodes at the first apply. Default min."`
	// ShardSize is the most nodes that one Terraform root module holds. What bare
	// terraform takes to make a node is its start, shared by the module's nodes, and a
	// part that grows with their number. make bench-scale measures the sum: of machines
	// of the simulated EC2 it was 100 ms of CPU time for each of 10, 54 for each of 25,
	// 56 for 50, 68 for 100 and 78 for 200, and one machine more cost 0.9 s among 10, 2.6
	// among 50 and 8.4 among 200. A real provider starts more slowly than the simulated
	// one, so the larger of the two best sizes is taken; and each shard more is a state,
	// an init from its sibling and a drift check.
	ShardSize int `yaml:"shard_size" jsonschema:"minimum=1,maximum=200" jsonschema_description:"Most nodes in one Terraform root module. Default 50."`
	// Local configures the nodes of a group with cloud: local.
	Local *Local `yaml:"local" jsonschema_description:"Settings of the nodes where cloud is local."`
	// EC2, OpenStack, Azure and Module configure the nodes of the clouds of these
	// names.
	EC2 *EC2 `yaml:"ec2" jsonschema_description:"Settings of the nodes where cloud is ec2."`
	// OpenStack configures the nodes of a group with cloud: openstack.
	OpenStack *OpenStack `yaml:"openstack" jsonschema_description:"Settings of the nodes where cloud is openstack."`
	// Azure configures the nodes of a group with cloud: azure.
	Azure *Azure `yaml:"azure" jsonschema_description:"Settings of the nodes where cloud is azure."`
	// Module configures the nodes of a group with cloud: module.
	Module *Module `yaml:"module" jsonschema_description:"Settings of the nodes where cloud is module."`
	// Credentials names the entry of scalerd's credentials that the group's Terraform
	// runs with.
	Credentials string `yaml:"credentials" jsonschema_description:"Name of the entry in scalerd's credentials file to use. Default: the first entry of the cloud's type, else the environment of scalerd."`
	// CloudInit is what new nodes do when they boot.
	CloudInit CloudInit `yaml:"cloud_init" jsonschema_description:"What new nodes do when they boot; cloud: local does not use it."`
	// Rollout says how nodes are replaced after a change of their settings.
	Rollout Rollout `yaml:"rollout" jsonschema_description:"How nodes are replaced after a change that only new nodes can have, such as another image."`
	// Offerings are the kinds of machines that nodes may be, the wanted one first.
	Offerings []Offering `yaml:"offerings" jsonschema_description:"Kinds of machines that nodes may be, the wanted one first; where the cloud refuses one, the next is taken for a while. Without them nodes are as the cloud's settings say."`
	// Drain is what is done to a node before it is destroyed.
	Drain *Drain `yaml:"drain" jsonschema_description:"What is done to a node before it is destroyed, so that it can finish its work."`
	// Repair says when a node that does not work is replaced.
	Repair *Repair `yaml:"repair" jsonschema_description:"When a node that exists and is not ready is replaced. Without it none is."`
	// Drift says what is done about changes behind Terraform's back.
	Drift Drift `yaml:"drift" jsonschema_description:"What is done about nodes that were deleted or changed by somebody else."`
	// Metrics says where a node serves its metrics.
	Metrics Metrics `yaml:"metrics" jsonschema_description:"Where each node serves its metrics."`
	// Constants are added to the application's, and win over them.
	Constants map[string]any `yaml:"constants" jsonschema_description:"Constants of this group; they win over the application's."`
	// Queries are added to the application's, and win over them.
	Queries map[string]Query `yaml:"queries" jsonschema_description:"Queries of this group; they win over the application's."`
	// Alerts are added to the application's, and win over them.
	Alerts []Alert `yaml:"alerts" jsonschema_description:"Alerts of this group; they win over the application's."`
	// Optimizer learns how the size acts on the metrics, and gives advice.
	Optimizer *Optimizer `yaml:"optimizer" jsonschema_description:"Learns how the number of nodes acts on the metrics. The advice policy follows it, and m_opt_advice() in a rule asks it."`
	// Policies propose sizes. A group without policies keeps its size.
	Policies []Policy `yaml:"policies" jsonschema_description:"What sizes the group; the largest proposal wins. Without policies the group keeps its size."`
	// PricePerHour is what a node with the group's settings costs an hour.
	PricePerHour *float64 `yaml:"price_per_hour,omitempty" jsonschema:"exclusiveMinimum=0" jsonschema_description:"What a node costs an hour, in the budget's currency. Default what scalerd's price list (--prices) says."`
	// Budget bounds what the group's nodes cost.
	Budget *Budget `yaml:"budget,omitempty" jsonschema_description:"What the nodes of the group may cost; never a reason to go below min."`
	// Scaling limits how fast the size may change.
	Scaling Scaling `yaml:"scaling" jsonschema_description:"How fast the size may change."`
}

// Local configures nodes that are processes on this machine. Such a node serves
// Slots / ServiceTime requests per second at most.
type Local struct {
	// Slots is how many requests a node works on at once.
	Slots int `yaml:"slots" jsonschema:"minimum=1,maximum=1000" jsonschema_description:"Requests a node works on at once. Default 4."`
	// ServiceTime is the mean time that one request occupies a slot.
	ServiceTime Duration `yaml:"service_time" jsonschema_description:"Mean time that a request occupies a slot. Default 100ms."`
	// BootTime passes between a node's start and its first answer.
	BootTime Duration `yaml:"boot_time" jsonschema_description:"Time from a node's start to its first answer. Default 2s."`
	// Balancer is the host:port that spreads requests over the ready nodes.
	Balancer string `yaml:"balancer" jsonschema_description:"host:port on which a balancer in front of the group listens; none without it."`
}

// Rollout says how the nodes of a group are replaced after a change of the
// description that running nodes cannot take on: in batches, each with its
// replacement first.
type Rollout struct {
	// Mode is replace, or keep: old nodes stay until they go for another reason.
	Mode RolloutMode `yaml:"mode" jsonschema:"enum=replace,enum=keep" jsonschema_description:"replace: nodes with old settings are replaced. keep: they stay until they go for another reason. Default replace."`
	// Batch is the most nodes that are replaced at once.
	Batch int `yaml:"batch" jsonschema:"minimum=1" jsonschema_description:"Most nodes replaced at once. Default 1."`
	// Surge is how many nodes more than wanted may exist meanwhile. With 0 a node
	// goes before its replacement comes.
	Surge int `yaml:"surge" jsonschema:"minimum=0" jsonschema_description:"Nodes above the wanted number, max included, that may exist meanwhile; 0 removes before it adds. Default batch, or 0 with floating_ip."`
	// Pause passes between a batch that is ready and the next.
	Pause Duration `yaml:"pause" jsonschema_description:"Time between a batch that is ready and the next one. Default 30s."`
}

// Drift says how often a group is compared with what exists, and what is done
// about differences that somebody else made.
type Drift struct {
	// Every is the time between two checks of a shard; 0 stands for scalerd's own
	// drift_interval.
	Every Duration `yaml:"every" jsonschema_description:"Time between two checks of a shard. Default: drift_interval of scalerd."`
	// OnDeleted is what is done about a resource that is gone.
	OnDeleted DriftAction `yaml:"on_deleted" jsonschema:"enum=repair,enum=report" jsonschema_description:"repair: a node of which something is gone is replaced. report: it is only listed. Default repair."`
	// OnChanged is what is done about a resource whose attributes were changed.
	OnChanged DriftAction `yaml:"on_changed" jsonschema:"enum=repair,enum=report" jsonschema_description:"repair: changed attributes are changed back, where that is possible in place. report: they are only listed. Default report."`
}

// DriftAction is what is done about drift.
type DriftAction string

const (
	// DriftRepair brings back what the description says.
	DriftRepair DriftAction = "repair"
	// DriftReport only lists it.
	DriftReport DriftAction = "report"
)

// RolloutMode says whether nodes with old settings are replaced.
type RolloutMode string

const (
	// RolloutReplace replaces nodes with old settings.
	RolloutReplace RolloutMode = "replace"
	// RolloutKeep leaves them.
	RolloutKeep RolloutMode = "keep"
)

// Metrics says where each node of a group serves its Prometheus metrics.
type Metrics struct {
	// Port is the port on the node's private address. Local nodes choose their own.
	Port int `yaml:"port" jsonschema:"minimum=1,maximum=65535" jsonschema_description:"Port on the node's private address. Default 9100; local nodes choose their own."`
	// Path is the metrics path.
	Path string `yaml:"path" jsonschema_description:"Path of the metrics page. Default /metrics."`
}

// Policy proposes a number of nodes. Exactly one of Target, Steps, Rule, Advice,
// Schedule, Deadline and Activation is set.
type Policy struct {
	// Name is shown with the proposals.
	Name string `yaml:"name" jsonschema_description:"Name shown with its proposals. Default: its kind, numbered where there are several."`
	// Target keeps a query at a value.
	Target *Target `yaml:"target" jsonschema_description:"Keeps a query at a value."`
	// Steps maps bands of a query to changes of the size.
	Steps *Steps `yaml:"steps" jsonschema_description:"Maps bands of a query to changes of the size."`
	// Rule is a Starlark program with MiCADO's variable names.
	Rule *Rule `yaml:"rule" jsonschema_description:"A Starlark program that sets m_node_count."`
	// Advice follows the group's optimizer.
	Advice *Advice `yaml:"advice" jsonschema_description:"Follows the advice of the group's optimizer."`
	// Schedule bounds or sets the size by the clock.
	Schedule *Schedule `yaml:"schedule" jsonschema_description:"Bounds or sets the size by the time of day and the date."`
	// Deadline finishes a queue of jobs by a time.
	Deadline *Deadline `yaml:"deadline" jsonschema_description:"Finishes a queue of jobs by a time."`
	// Activation takes a group from zero nodes and keeps it from going there.
	Activation *Activation `yaml:"activation" jsonschema_description:"Takes the group from zero nodes, and keeps it from going there, while a query is above a value."`
	// Missing says what the policy does where a query of its has no value.
	Missing *Missing `yaml:"missing" jsonschema_description:"What the policy does where a query has no value. Default: hold for 2h, then go to the group's initial size."`
	// Shadow makes the policy propose without effect.
	Shadow bool `yaml:"shadow" jsonschema_description:"Evaluates and records the policy, and never acts on it."`
}

// Target keeps a query at a value by choosing the number of nodes.
type Target struct {
	// Query names the query.
	Query string `yaml:"query,omitempty" jsonschema_description:"Name of the query."`
	// Value is what the query should be, in the query's unit.
	Value float64 `yaml:"value,omitempty" jsonschema:"exclusiveMinimum=0" jsonschema_description:"What the query should be; above 0."`
	// Kind says how the query depends on the number of nodes.
	Kind TargetKind `yaml:"kind,omitempty" jsonschema:"enum=average,enum=total" jsonschema_description:"average: the query is a mean over nodes (CPU, requests per node) and value is wanted per node. total: the query is a sum over the group and value is one node's share. Default average."`
	// Queries, in place of Query, Value and Kind, are several, of which the one that
	// needs the most nodes wins.
	Queries []TargetQuery `yaml:"queries,omitempty" jsonschema:"minItems=1" jsonschema_description:"Several queries in place of query, value and kind; the one that needs the most nodes wins."`
	// Tolerance is the relative deviation, 0..1, that changes nothing.
	Tolerance float64 `yaml:"tolerance" jsonschema:"minimum=0,maximum=1" jsonschema_description:"Relative deviation from value that changes nothing, 0..1. Default 0.1."`
}

// TargetKind says how a query depends on the number of nodes.
type TargetKind string

const (
	// TargetAverage is a mean over the nodes, such as CPU use.
	TargetAverage TargetKind = "average"
	// TargetTotal is a sum over the group, such as requests per second.
	TargetTotal TargetKind = "total"
)

// Steps maps bands of a query's value to changes of the size.
type Steps struct {
	// Query names the query.
	Query string `yaml:"query" jsonschema:"required" jsonschema_description:"Name of the query."`
	// Kind, where it is average, lets the flap guard tell what the query would be with
	// fewer nodes.
	Kind TargetKind `yaml:"kind,omitempty" jsonschema:"enum=average,enum=total" jsonschema_description:"average: the query is a mean over the nodes, so that a scale-in is refused that would bring it into a band that grows. Without it nothing is assumed."`
	// Bands are looked through in order; the first that holds the value applies.
	Bands []Band `yaml:"bands" jsonschema:"required,minItems=1" jsonschema_description:"Looked through in order; the first that holds the value applies; outside all of them the policy has no opinion."`
}

// Band is one threshold, or a range between two, and the size that goes with it.
// At least one of Above and Below is set, and exactly one of Change, Percent and
// Nodes.
type Band struct {
	// Above and Below bound the value, both excluded.
	Above *float64 `yaml:"above" jsonschema_description:"The band holds values above this."`
	// Below is the upper bound.
	Below *float64 `yaml:"below" jsonschema_description:"The band holds values below this."`
	// Change adds nodes, or removes them where negative.
	Change *int `yaml:"change" jsonschema_description:"Nodes to add, or to remove where negative."`
	// Percent is the same relative to the present size, rounded away from zero.
	Percent *float64 `yaml:"percent" jsonschema_description:"Percent of the present size to add, or to remove where negative; rounded away from zero."`
	// Nodes is an exact size.
	Nodes *int `yaml:"nodes" jsonschema:"minimum=0" jsonschema_description:"Exact size."`
}

// Rule is user code. Line tells where its first line stands in the description,
// so that an error in it can be found.
type Rule struct {
	Source string
	// File, Line and Column are where Source begins: 1-based, as editors count.
	File         string
	Line, Column int
}

// Scaling limits how fast a group's size may change.
type Scaling struct {
	// CooldownOut is the least time between two scale-outs.
	CooldownOut Duration `yaml:"cooldown_out" jsonschema_description:"Least time from a scale-out to the next. Default 0s."`
	// CooldownIn is the least time from any change to a scale-in.
	CooldownIn Duration `yaml:"cooldown_in" jsonschema_description:"Least time from any change of the size to a scale-in. Default 60s."`
	// Stabilisation is how long a smaller size must have been proposed throughout.
	Stabilisation Duration `yaml:"stabilisation" jsonschema_description:"A scale-in goes to the largest size proposed within this time. Default 5m."`
	// MaxStepOut and MaxStepIn bound one decision; 0 is no bound.
	MaxStepOut int `yaml:"max_step_out" jsonschema:"minimum=0" jsonschema_description:"Most nodes that one decision adds; 0 is no bound. Default 0."`
	// MaxStepIn is the most nodes that one decision removes.
	MaxStepIn int `yaml:"max_step_in" jsonschema:"minimum=0" jsonschema_description:"Most nodes that one decision removes; 0 is no bound. Default 0."`
	// MaxStepOutPercent and MaxStepInPercent bound one decision by the present size;
	// one node is always allowed.
	MaxStepOutPercent float64 `yaml:"max_step_out_percent" jsonschema:"minimum=0" jsonschema_description:"Most nodes that one decision adds, in percent of the present ones, and at least one; 0 is no bound. Default 0."`
	// MaxStepInPercent is the same for removals.
	MaxStepInPercent float64 `yaml:"max_step_in_percent" jsonschema:"minimum=0,maximum=100" jsonschema_description:"Most nodes that one decision removes, in percent of the present ones, and at least one; 0 is no bound. Default 0."`
	// MaxTurns bounds how often the size may turn from growing to shrinking or back
	// within an hour before it is not shrunk any more.
	MaxTurns int `yaml:"max_turns" jsonschema:"minimum=0" jsonschema_description:"Most turns between growing and shrinking within an hour; with that many the group is not shrunk. 0 is no bound. Default 12."`
	// BreakerAfter is after how many failed steps in a row growth stops.
	BreakerAfter int `yaml:"breaker_after" jsonschema:"minimum=0" jsonschema_description:"Failed steps in a row after which the group does not grow, but for one node at a time to probe; 0 is never. Default 5."`
	// BreakerProbe is the time between two probes.
	BreakerProbe Duration `yaml:"breaker_probe" jsonschema_description:"Time from a failure, or a probe, to the next probe. Default 5m."`
	// Victims says which nodes go when the group shrinks.
	Victims *Victims `yaml:"victims" jsonschema_description:"Which nodes go when the group shrinks. Without it the newest."`
}

package local

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// Spec says which process to run. It is a balancer where Balancer is set, and a
// node otherwise.
type Spec struct {
	// Dir holds the files of the process, and Name is unique in it.
	Dir, Name string
	// Application and Group are what the process belongs to.
	Application, Group string

	// Slots is how many requests a node serves at a time.
	Slots int
	// ServiceTime is the mean time for which a request occupies a slot.
	ServiceTime time.Duration
	// BootTime is how long after its start a node begins to serve.
	BootTime time.Duration

	// Balancer is the host:port on which a balancer listens.
	Balancer string
	// Nodes is the path of the scaler.NodeList that a balancer follows.
	Nodes string
}

// Flags registers the flags of `scalerd local start` and `scalerd local run`,
// with their defaults, to be parsed into s.
func (s *Spec) Flags(set *flag.FlagSet) {
	set.StringVar(&s.Dir, "dir", "", "`directory` of the process's files")
	set.StringVar(&s.Name, "name", "", "`name` of the process, unique in the directory")
	set.StringVar(&s.Application, "application", "", "application that it belongs to")
	set.StringVar(&s.Group, "group", "", "node group that it belongs to")
	set.IntVar(&s.Slots, "slots", 2, "requests that a node serves at a time")
	set.DurationVar(&s.ServiceTime, "service-time", 50*time.Millisecond, "mean time for which a request occupies a slot of a node")
	set.DurationVar(&s.BootTime, "boot-time", 0, "time after its start at which a node begins to serve")
	set.StringVar(&s.Balancer, "balancer", "", "run a balancer that listens on this `host:port`, and not a node")
	set.StringVar(&s.Nodes, "nodes", "", "`file` with the live node list that a balancer follows")
}

// args are the arguments with which the process is run, the reverse of Flags.
func (s Spec) args() []string {
	args := []string{"local", "run", "--dir=" + s.Dir, "--name=" + s.Name,
		"--application=" + s.Application, "--group=" + s.Group}
	if s.kind() == KindBalancer {
		return append(args, "--balancer="+s.Balancer, "--nodes="+s.Nodes)
	}
	return append(args, "--slots="+strconv.Itoa(s.Slots),
		"--service-time="+s.ServiceTime.String(), "--boot-time="+s.BootTime.String())
}

func (s Spec) kind() string {
	if s.Balancer != "" {
		return KindBalancer
	}
	return KindNode
}

func (s Spec) files() files { return files{s.Dir, s.Name} }

// absolute is the same with paths that hold in any working directory.
func (s Spec) absolute() (Spec, error) {
	var err error
	if s.Dir, err = filepath.Abs(s.Dir); err != nil {
		return s, fmt.Errorf("find directory: %w", err)
	}
	if s.Nodes == "" {
		return s, nil
	}
	if s.Nodes, err = filepath.Abs(s.Nodes); err != nil {
		return s, fmt.Errorf("find node list: %w", err)
	}
	return s, nil
}

// Validate returns all mistakes at once, or nil.
func (s Spec) Validate() error {
	mistakes := []error{validPlace(s.Dir, s.Name)}
	if s.kind() == KindBalancer {
		mistakes = append(mistakes, s.validBalancer())
	} else {
		mistakes = append(mistakes, s.validNode())
	}
	return errors.Join(mistakes...)
}

func (s Spec) validNode() error {
	var mistakes []error
	if s.Slots < 1 {
		mistakes = append(mistakes, fmt.Errorf("--slots is %d: a node needs at least 1", s.Slots))
	}
	if s.ServiceTime <= 0 {
		mistakes = append(mistakes, fmt.Errorf("--service-time is %s: it must be more than 0", s.ServiceTime))
	}
	if s.BootTime < 0 {
		mistakes = append(mistakes, fmt.Errorf("--boot-time is %s: it can't be less than 0", s.BootTime))
	}
	if s.Nodes != "" {
		mistakes = append(mistakes, errors.New("--nodes is of a balancer: give --balancer HOST:PORT too"))
	}
	return errors.Join(mistakes...)
}

func (s Spec) validBalancer() error {
	var mistakes []error
	if _, _, err := net.SplitHostPort(s.Balancer); err != nil {
		mistakes = append(mistakes, fmt.Errorf("--balancer is %q: give HOST:PORT: %w", s.Balancer, err))
	}
	if s.Nodes == "" {
		mistakes = append(mistakes, errors.New("--nodes is missing: a balancer needs the file with its nodes"))
	}
	return errors.Join(mistakes...)
}

// validPlace checks what names a process. A name becomes a part of file names.
func validPlace(dir, name string) error {
	var mistakes []error
	if dir == "" {
		mistakes = append(mistakes, errors.New("--dir is missing"))
	}
	if ok, _ := regexp.MatchString(`^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`, name); !ok {
		mistakes = append(mistakes, fmt.Errorf("--name is %q: use letters, digits, '.', '_' and '-', 200 at most, beginning with a letter or digit", name))
	}
	return errors.Join(mistakes...)
}

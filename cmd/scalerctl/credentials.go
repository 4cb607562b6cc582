package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/scalerd/scalerd/scaler/credentials"
	"github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

func credentialsCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "credentials",
		Short: "Set, list, test and rotate what terraform logs in to the clouds with",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(credentialsSetCommand(s), credentialsListCommand(s), credentialsTestCommand(s), credentialsRemoveCommand(s), credentialsRotateCommand(s), keygenCommand())
	return cmd
}

// entryName is the name of the arguments TYPE [NAME].
func entryName(args []string) string {
	if len(args) > 1 {
		return args[1]
	}
	return secrets.Default
}

func credentialsSetCommand(s *settings) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "set TYPE [NAME]",
		Short: "Add credentials, or replace those of this type and name",
		Long: "The values are asked for on a terminal, and read from standard input or a file else,\n" +
			"one KEY: VALUE a line, as under auth_data: in a credentials file. They are no\n" +
			"arguments: others could read them from the list of processes.\n" +
			"TYPE is one of " + strings.Join(credentials.Types(), ", ") + ".",
		Args: usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (credentials.Entry{Type: args[0]}).Cloud() == "" {
				return fmt.Errorf("%w: type %q: use one of %s", errUsage, args[0], strings.Join(credentials.Types(), ", "))
			}
			data, err := readAuthData(cmd, args[0], from)
			if err != nil {
				return err
			}
			if err := s.client().SetCredentials(cmd.Context(), args[0], entryName(args), data); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "Credentials %s/%s are set.\n", args[0], entryName(args))
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "file with the values (default standard input)")
	return cmd
}

// maxAuthData bounds what is read, in bytes.
const maxAuthData = 1 << 20

// readAuthData reads the values; a mistake in them is told without what stands there.
func readAuthData(cmd *cobra.Command, kind, from string) (map[string]string, error) {
	in, isFile := cmd.InOrStdin().(*os.File)
	if from == "" && isFile && term.IsTerminal(int(in.Fd())) {
		return askAuthData(cmd, in, kind)
	}
	name, text := "standard input", []byte(nil)
	var err error
	if from != "" {
		name = from
		text, err = os.ReadFile(from)
	} else {
		text, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxAuthData))
	}
	if err != nil {
		return nil, fmt.Errorf("read credentials: %w", err)
	}
	root, err := strictyaml.Read(name, text)
	if err != nil || !root.Is(strictyaml.KindMapping) {
		return nil, fmt.Errorf("credentials of %s: write one KEY: VALUE a line", name)
	}
	data := map[string]string{}
	for key, value := range root.Value().(map[string]any) {
		switch value := value.(type) {
		case string:
			data[key] = value
		case nil, map[string]any, []any:
			return nil, fmt.Errorf("credentials of %s: the value of %s is no text", name, key)
		default:
			data[key] = fmt.Sprint(value)
		}
	}
	return data, nil
}

// askAuthData asks for each key; an empty answer leaves it out.
func askAuthData(cmd *cobra.Command, in *os.File, kind string) (map[string]string, error) {
	keys := credentials.Keys(kind)
	lines := bufio.NewReader(in)
	data := map[string]string{}
	ask := func(key string) error {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s (empty for none): ", key)
		text, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		if err == nil && len(text) > 0 {
			data[key] = string(text)
		}
		return err
	}
	for _, key := range keys {
		if err := ask(key); err != nil {
			return nil, fmt.Errorf("read credentials: %w", err)
		}
	}
	for len(keys) == 0 { // variables of the environment, until an empty name
		fmt.Fprint(cmd.ErrOrStderr(), "Variable, such as GOOGLE_CREDENTIALS (empty to end): ")
		name, err := lines.ReadString('\n')
		if name = strings.TrimSpace(name); name == "" {
			break
		}
		if err == nil {
			err = ask(name)
		}
		if err != nil {
			return nil, fmt.Errorf("read credentials: %w", err)
		}
	}
	return data, nil
}

func credentialsListCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the credentials, without their values",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := s.client().Credentials(cmd.Context())
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), list, func(w io.Writer) error {
				rows := [][]string{{"TYPE", "NAME", "KEYS", "USED BY", "IN"}}
				for _, l := range list {
					rows = append(rows, []string{l.Type, l.Name, strings.Join(l.Keys, ","), strings.Join(slices.Compact(l.UsedBy), ","), l.In})
				}
				return columns(w, rows)
			})
		},
	}
}

func credentialsTestCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "test TYPE [NAME]",
		Short: "Log in with credentials: terraform looks at a group that uses them",
		Args:  usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			tried, err := s.client().TestCredentials(cmd.Context(), args[0], entryName(args))
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), tried, func(w io.Writer) error {
				where := ""
				if tried.Group != "" {
					where = fmt.Sprintf(" (%s/%s/%s)", tried.Application, tried.Group, tried.Shard)
				}
				_, err := fmt.Fprintf(w, "%s/%s: %s%s\n", args[0], entryName(args), tried.Message, where)
				return err
			})
		},
	}
}

func credentialsRemoveCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "remove TYPE [NAME]",
		Short: "Remove credentials",
		Args:  usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.client().RemoveCredentials(cmd.Context(), args[0], entryName(args))
		},
	}
}

func credentialsRotateCommand(s *settings) *cobra.Command {
	var passphrase bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Encrypt all credentials with a new key",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			given := ""
			if passphrase {
				var err error
				if given, err = readPassword(cmd, "the credentials"); err != nil {
					return err
				}
				if given == "" {
					return errors.New("the new passphrase is empty: nothing was changed")
				}
			}
			message, err := s.client().RotateCredentials(cmd.Context(), given)
			if err == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "The credentials are encrypted with a new key: %s.\n", message)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&passphrase, "passphrase", false, "with a new passphrase, from the terminal or standard input")
	return cmd
}

func keygenCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key for scalerd --credentials-key, without a daemon",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := secrets.NewKey()
			if err != nil {
				return err
			}
			if out == "" {
				_, err := io.WriteString(cmd.OutOrStdout(), key)
				return err
			}
			f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return fmt.Errorf("key: %w", err)
			}
			_, err = f.WriteString(key)
			return errors.Join(err, f.Close())
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write, which must not be there yet (default standard output)")
	return cmd
}

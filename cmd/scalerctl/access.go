package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
)

func usersCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "users",
		Short: "Add, list and remove the users of scalerd's API",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(userAddCommand(s), userListCommand(s), userRemoveCommand(s), userPasswordCommand(s), userRoleCommand(s))
	return cmd
}

func userAddCommand(s *settings) *cobra.Command {
	var role string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a user; the password is read from the terminal or from standard input",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkRole(role); err != nil {
				return err
			}
			users, err := s.client().Users(cmd.Context())
			if err != nil {
				return err
			}
			for _, u := range users {
				if u.Name == args[0] {
					return fmt.Errorf("user %s exists: change it with users passwd or users role", u.Name)
				}
			}
			return s.putUser(cmd, args[0], role, true)
		},
	}
	cmd.Flags().StringVar(&role, "role", "viewer", "viewer, operator or admin")
	return cmd
}

func userPasswordCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "passwd NAME",
		Short: "Change a user's password, which ends the sessions",
		Args:  usage(cobra.ExactArgs(1)),
		RunE:  func(cmd *cobra.Command, args []string) error { return s.putUser(cmd, args[0], "", true) },
	}
}

func userRoleCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "role NAME ROLE",
		Short: "Change a user's role",
		Args:  usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkRole(args[1]); err != nil {
				return err
			}
			return s.putUser(cmd, args[0], args[1], false)
		},
	}
}

func userRemoveCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a user",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.client().RemoveUser(cmd.Context(), args[0])
		},
	}
}

func userListCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the users",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			users, err := s.client().Users(cmd.Context())
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), users, func(w io.Writer) error {
				rows := [][]string{{"NAME", "ROLE", "SINCE"}}
				for _, u := range users {
					rows = append(rows, []string{u.Name, u.Role.String(), day(u.CreatedAt)})
				}
				return columns(w, rows)
			})
		},
	}
}

func (s *settings) putUser(cmd *cobra.Command, name, role string, withPassword bool) error {
	change := api.UserChange{Role: role}
	if withPassword {
		var err error
		if change.Password, err = readPassword(cmd, name); err != nil {
			return err
		}
	}
	u, err := s.client().PutUser(cmd.Context(), name, change)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "User %s has the role %s.\n", u.Name, u.Role)
	return nil
}

func checkRole(role string) error {
	if _, err := access.ParseRole(role); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return nil
}

// readPassword asks twice on a terminal; elsewhere it takes the first line. It is no
// flag: others could read it from the list of processes.
func readPassword(cmd *cobra.Command, name string) (string, error) {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 1024)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var answers [2]string
	for i, prompt := range []string{"Password of " + name + ": ", "Again: "} {
		fmt.Fprint(cmd.ErrOrStderr(), prompt)
		text, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		if err != nil {
			return "", fmt.Errorf("read password: %w", err)
		}
		answers[i] = string(text)
	}
	if answers[0] != answers[1] {
		return "", errors.New("the two passwords differ: nothing was changed")
	}
	return answers[0], nil
}

func tokensCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tokens",
		Short: "Make, list and revoke the tokens of machines that use scalerd's API",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(tokenCreateCommand(s), tokenListCommand(s), tokenRevokeCommand(s))
	return cmd
}

func tokenCreateCommand(s *settings) *cobra.Command {
	var in api.TokenRequest
	var expires time.Duration
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a token and print its secret, which is kept nowhere",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkRole(in.Role); err != nil {
				return err
			}
			if expires < 0 {
				return fmt.Errorf("%w: --expires %s is negative", errUsage, expires)
			}
			in.Name, in.ExpiresIn = args[0], int64(expires/time.Second)
			made, err := s.client().CreateToken(cmd.Context(), in)
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), made, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, made.Secret)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&in.Role, "role", "viewer", "viewer, operator or admin")
	cmd.Flags().StringSliceVar(&in.Applications, "application", nil, "only good for this application; repeat for more")
	cmd.Flags().DurationVar(&expires, "expires", 90*24*time.Hour, "how long it is good, 0 for ever")
	return cmd
}

func tokenListCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the tokens",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			tokens, err := s.client().Tokens(cmd.Context())
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), tokens, func(w io.Writer) error {
				rows := [][]string{{"ID", "NAME", "ROLE", "APPLICATIONS", "EXPIRES", "USED"}}
				for _, t := range tokens {
					applications := "all"
					if len(t.Applications) > 0 {
						applications = strings.Join(t.Applications, ",")
					}
					rows = append(rows, []string{t.ID, t.Name, t.Role.String(), applications, day(t.ExpiresAt), day(t.UsedAt)})
				}
				return columns(w, rows)
			})
		},
	}
}

func tokenRevokeCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "End a token at once",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.client().RevokeToken(cmd.Context(), args[0])
		},
	}
}

// day is an instant's day and minute, and "never" for none.
func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// columns writes rows as a table.
func columns(w io.Writer, rows [][]string) error {
	out := table(w)
	for _, row := range rows {
		fmt.Fprintln(out, strings.Join(row, "\t"))
	}
	return out.Flush()
}
